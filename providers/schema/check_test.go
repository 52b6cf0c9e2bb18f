package schema_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

func TestCheck(t *testing.T) {
	sound := func() *schema.Provider {
		result := schema.Object{Attributes: []schema.Attribute{{Name: "ok", Type: cty.Bool}, {Name: "summary", Type: cty.String}}}
		return &schema.Provider{Name: "queue", Operations: []schema.OperationSchema{
			{Name: "look", Kind: schema.Probe, Result: result},
			{Name: "purge", Kind: schema.Action, Result: result, Settling: schema.Idempotent, Counts: []string{"messages"}, Enforces: []string{"messages"}},
		}}
	}
	if err := sound().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*schema.Provider){
		`the provider's name "\x1b[31mqueue" is not`:    func(p *schema.Provider) { p.Name = "\x1b[31mqueue" },
		"it has two: probe look":                        func(p *schema.Provider) { p.Operations = append(p.Operations, p.Operations[0]) },
		`probe "Look": its name is not`:                 func(p *schema.Provider) { p.Operations[0].Name = "Look" },
		`"look": it is neither`:                         func(p *schema.Provider) { p.Operations[0].Kind = "" },
		"its result lacks the bool ok":                  func(p *schema.Provider) { p.Operations[0].Result.Attributes = nil },
		"a probe settles and destroys nothing":          func(p *schema.Provider) { p.Operations[0].MayDestroy = true },
		`its class "at will" is none of`:                func(p *schema.Provider) { p.Operations[1].Settling = "at will" },
		`it counts "any; limit", which is not`:          func(p *schema.Provider) { p.Operations[1].Counts = []string{"any; limit"} },
		`it enforces "bytes" and does not count it`:     func(p *schema.Provider) { p.Operations[1].Enforces = []string{"bytes"} },
		`its configuration: in: the name "a b" is not`:  func(p *schema.Provider) { p.Config.Attributes = nested("a b") },
		`its configuration: in: it has two: twice`:      func(p *schema.Provider) { p.Config.Attributes = nested("twice", "twice") },
		`action "purge": its arguments: in: it has two`: func(p *schema.Provider) { p.Operations[1].Arguments.Attributes = nested("x", "x") },
	} {
		p := sound()
		spoil(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

func nested(names ...string) []schema.Attribute {
	in := schema.Attribute{Name: "in"}
	for _, name := range names {
		in.Nested = append(in.Nested, schema.Attribute{Name: name})
	}
	return []schema.Attribute{in}
}
