package eval_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/providers/schema"
)

// BenchmarkBody evaluates the arguments of every step of a runbook, as a plan
// does: the time per step must not grow with the number of steps.
func BenchmarkBody(b *testing.B) {
	object := schema.Object{Attributes: []schema.Attribute{
		{Name: "message", Type: cty.String, Required: true},
		{Name: "level", Type: cty.String},
	}}
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var text strings.Builder
			text.WriteString("runbook \"many\" {}\nvariable \"max\" {\n  default = 5\n}\nlocals {\n  limit = var.max * 2\n}\n")
			for i := range n {
				fmt.Fprintf(&text, "step \"s%d\" {\n  action \"core.log\" {\n    message = \"step %d of ${local.limit}, ${run.id}\"\n  }\n}\n", i, i)
			}
			rb := load(b, text.String())
			vars, _ := eval.Variables(rb, eval.Sources{})
			for b.Loop() {
				s := eval.New(rb, vars, eval.Run{ID: "r1"}, nil)
				for _, step := range rb.Steps {
					if _, diags := s.Body(context.Background(), step.Action.Body, object, eval.Extra{}); diags.HasErrors() {
						b.Fatal(diags)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/step")
		})
	}
}
