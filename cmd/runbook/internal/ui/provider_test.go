package ui

import (
	"bytes"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

func systemd() *schema.Provider {
	outcome := []schema.Attribute{
		{Name: "ok", Type: cty.Bool, Doc: "Whether it is as it should be."},
		{Name: "summary", Type: cty.String, Doc: "What was found, in one line."},
	}
	return &schema.Provider{
		Name: "systemd", Version: "0.1.0", Doc: "Watches and restarts systemd units.",
		Config: schema.Object{Attributes: []schema.Attribute{
			{Name: "host", Type: cty.String, Doc: "Machine to connect to.", Default: `"localhost"`},
			{Name: "password", Type: cty.String, Doc: "Password of the user.", Required: true, Sensitive: true},
		}},
		Operations: []schema.OperationSchema{
			{
				Name: "unit", Kind: schema.Probe, Doc: "The state of a unit.",
				Arguments: schema.Object{Attributes: []schema.Attribute{{Name: "unit", Type: cty.String, Doc: "Unit name, such as `nginx.service`.", Required: true}}},
				Result: schema.Object{Attributes: append(outcome, schema.Attribute{
					Name: "processes", Doc: "Its processes | their children.",
					Type: cty.List(cty.ObjectWithOptionalAttrs(map[string]cty.Type{"pid": cty.Number, "labels": cty.Map(cty.DynamicPseudoType)}, []string{"labels"})),
				})},
			},
			{
				Name: "restart", Kind: schema.Action, Doc: "Restarts a unit and waits until it is active.",
				Settling: schema.Idempotent, MayDestroy: true, Counts: []string{"units", "bytes"}, Enforces: []string{"units"},
				Arguments: schema.Object{Attributes: []schema.Attribute{{Name: "units", Type: cty.Set(cty.String), Doc: "Unit names.", Required: true}}},
				Result:    schema.Object{Attributes: outcome},
			},
		},
	}
}

func others() []ThirdParty {
	return []ThirdParty{
		{Name: "changed", Version: "1.0.0", Trust: "changed", Path: "/usr/bin/runbook-provider-changed", SHA256: "aa"},
		{Name: "gone", Version: "2.0.0", Trust: "missing"},
		{Name: "new", Trust: "not pinned", Path: "/usr/bin/runbook-provider-new", SHA256: "bb"},
		{Name: "postgres", Trust: "hidden", Path: "/usr/bin/runbook-provider-postgres", SHA256: "cc"},
		{Name: "systemd", Version: "0.1.0", Trust: "pinned", Path: "/usr/bin/runbook-provider-systemd", SHA256: "dd"},
	}
}

// oneExample has one example.
type oneExample struct{}

func (oneExample) Of(provider string, kind schema.Kind, operation string) string {
	if operation != "restart" {
		return ""
	}
	return "# After a change.\naction \"systemd.restart\" {\n  units = [\"nginx.service\"]\n}"
}

func TestWriteProvider(t *testing.T) {
	var out bytes.Buffer
	if err := WriteProviders(&out, ciLog, []*schema.Provider{systemd()}, others()); err != nil {
		t.Fatal(err)
	}
	if err := WriteProvider(&out, ciLog, systemd(), oneExample{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "provider_ci.txt", out.String())

	out.Reset()
	if err := WriteProviderMarkdown(&out, systemd(), oneExample{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "provider.md", out.String())

	out.Reset()
	if err := WriteProvidersJSON(&out, []*schema.Provider{systemd()}, others()); err != nil {
		t.Fatal(err)
	}
	golden(t, "provider.json", out.String())
	validate(t, "providers.json", out.Bytes())
}
