package schema

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// tag is what a field's struct tags say:
//
//	Timeout time.Duration `runbook:"timeout,optional" doc:"How long to wait." default:"10s"`
type tag struct {
	name       string
	doc        string
	optional   bool
	sensitive  bool
	fallback   string // the default as written in the tag
	hasDefault bool
}

func parseTag(f reflect.StructField) (tag, error) {
	text, ok := f.Tag.Lookup("runbook")
	if !ok {
		return tag{}, fmt.Errorf("has no runbook tag")
	}
	words := strings.Split(text, ",")
	t := tag{name: words[0], doc: f.Tag.Get("doc")}
	for _, word := range words[1:] {
		switch word {
		case "optional":
			t.optional = true
		case "sensitive":
			t.sensitive = true
		default:
			return tag{}, fmt.Errorf("has the unknown tag option %q", word)
		}
	}
	if !attributeName.MatchString(t.name) {
		return tag{}, fmt.Errorf("has the name %q, which is not lower_snake_case", t.name)
	}
	if t.doc == "" {
		return tag{}, fmt.Errorf("has no doc tag")
	}
	t.fallback, t.hasDefault = f.Tag.Lookup("default")
	return t, nil
}

// defaultValue reads a default tag. For a string the tag is the text itself;
// for every other type it is an HCL expression such as [0] or true.
func defaultValue(text string, want cty.Type) (cty.Value, error) {
	if want == cty.String {
		return cty.StringVal(text), nil
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "default", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("has the default %q, which is not an HCL expression", text)
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("has the default %q, which is not a constant", text)
	}
	value, err := convert.Convert(value, want)
	if err != nil {
		return cty.NilVal, fmt.Errorf("has the default %q: %w", text, err)
	}
	return value, nil
}

// defaultText is the default as a reader would write it in HCL.
func defaultText(text string, want cty.Type) string {
	if want != cty.String {
		return text
	}
	return string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes())
}
