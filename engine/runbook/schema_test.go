package runbook_test

import (
	"errors"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// catalog is a SchemaSource of a few operations of the real providers' shape.
type catalog map[string]*schema.Provider

func (c catalog) Schema(name string) (*schema.Provider, error) {
	if p, ok := c[name]; ok {
		return p, nil
	}
	return nil, errors.New("not installed")
}

func (c catalog) Providers() []string {
	return []string{"core", "exec", "http", "mlflow", "postgres", "redis"}
}

func attr(name string, t cty.Type, required bool) schema.Attribute {
	return schema.Attribute{Name: name, Type: t, Doc: "The " + name + ".", Required: required}
}

func object(attrs ...schema.Attribute) schema.Object { return schema.Object{Attributes: attrs} }

func result(attrs ...schema.Attribute) schema.Object {
	return object(append([]schema.Attribute{attr("ok", cty.Bool, true), attr("summary", cty.String, true)}, attrs...)...)
}

func operation(kind schema.Kind, name string, arguments, result schema.Object, counts ...string) schema.OperationSchema {
	return schema.OperationSchema{Name: name, Kind: kind, Arguments: arguments, Result: result, Counts: counts}
}

func testCatalog() catalog {
	query := object(attr("sql", cty.String, true), attr("params", cty.List(cty.DynamicPseudoType), false))
	return catalog{
		"core": {Name: "core", Operations: []schema.OperationSchema{
			operation(schema.Action, "log", object(attr("message", cty.String, true)), result()),
			{Name: "manual", Kind: schema.Action, Result: result(), Asks: true},
		}},
		"exec": {Name: "exec", Operations: []schema.OperationSchema{
			operation(schema.Action, "run", object(attr("script", cty.String, false)), result(attr("stdout", cty.String, true))),
		}},
		"http": {Name: "http", Operations: []schema.OperationSchema{
			operation(schema.Probe, "get", object(attr("url", cty.String, true)), result(attr("status", cty.Number, true))),
		}},
		"mlflow": {Name: "mlflow", Config: object(attr("tracking_uri", cty.String, true)), Operations: []schema.OperationSchema{
			operation(schema.Probe, "health", object(), result()),
		}},
		"postgres": {
			Name:   "postgres",
			Config: object(attr("host", cty.String, false), attr("port", cty.Number, false), attr("database", cty.String, false), attr("user", cty.String, false), attr("password", cty.String, false)),
			Operations: []schema.OperationSchema{
				operation(schema.Probe, "ready", object(), result()),
				operation(schema.Probe, "query", query, result(attr("rows", cty.DynamicPseudoType, true))),
				operation(schema.Action, "delete", object(attr("table", cty.String, true), attr("where", cty.String, true)), result(attr("rows", cty.Number, true)), "rows", "bytes"),
			},
		},
		"redis": {Name: "redis", Operations: []schema.OperationSchema{
			operation(schema.Probe, "ping", object(), result()),
			operation(schema.Probe, "get", object(attr("key", cty.String, true)), result(attr("exists", cty.Bool, true), attr("value", cty.String, true))),
			operation(schema.Action, "flushdb", object(), result(), "keys"),
		}},
	}
}
