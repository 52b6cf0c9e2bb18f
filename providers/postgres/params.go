package postgres

import (
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// arguments turns params into what is sent for $1, $2 …: text, to which the
// server gives the type that it expects there, or nil for NULL. A list becomes
// an array, an object JSON.
func arguments(argument string, params cty.Value) ([]any, *schema.Failure) {
	if params == cty.NilVal || params.IsNull() {
		return nil, nil
	}
	if t := params.Type(); !t.IsTupleType() && !t.IsListType() {
		return nil, sdk.InvalidArgument(argument, "%s must be a list, one element for each of $1, $2 …", argument)
	}
	sent := make([]any, 0, params.LengthInt())
	for _, value := range params.Elements() {
		one, err := argumentText(value)
		if err != nil {
			return nil, sdk.InvalidArgument(argument, "an element of %s cannot be sent: %v", argument, err)
		}
		sent = append(sent, one)
	}
	return sent, nil
}

// argumentText is one value as the server reads it; nil is NULL.
func argumentText(v cty.Value) (any, error) {
	if v.IsNull() {
		return nil, nil
	}
	switch t := v.Type(); {
	case t == cty.String:
		return v.AsString(), nil
	case t == cty.Number:
		return numberText(v), nil
	case t == cty.Bool:
		if v.True() {
			return "true", nil
		}
		return "false", nil
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return arrayText(v)
	}
	encoded, err := ctyjson.Marshal(v, v.Type())
	return string(encoded), err
}

func numberText(v cty.Value) string {
	n := v.AsBigFloat()
	if n.IsInf() {
		if n.Signbit() {
			return "-Infinity"
		}
		return "Infinity"
	}
	return n.Text('f', -1)
}

// arrayText is an array literal. Every element is quoted, so that none can be
// taken for NULL or for the array's own punctuation.
func arrayText(v cty.Value) (string, error) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	parts := make([]string, 0, v.LengthInt())
	for _, element := range v.Elements() {
		text, err := argumentText(element)
		if err != nil {
			return "", err
		}
		switch t := element.Type(); {
		case text == nil:
			parts = append(parts, "NULL")
		case t.IsTupleType() || t.IsListType() || t.IsSetType():
			parts = append(parts, text.(string))
		default:
			parts = append(parts, `"`+quote.Replace(text.(string))+`"`)
		}
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// literal is a parameter as it can stand in a statement that a person runs.
func literal(sent any) string {
	text, ok := sent.(string)
	if !ok {
		return "NULL"
	}
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// jsonValue is a JSON text as a value, its numbers exact.
func jsonValue(text []byte) (cty.Value, error) {
	if !json.Valid(text) {
		return cty.StringVal(string(text)), nil
	}
	t, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(text, t)
}
