package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

func chain(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(step(fmt.Sprintf("s%d", i), act+goal))
	}
	return b.String()
}

// The time a step takes must not grow with their number: compare ns/step.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rb := load(b, chain(n))
			w := &world{looks: map[string]int{}}
			opts := plan.Options{Run: eval.Run{ID: "p", StartedAt: time.Now()}, Backend: w, Schemas: w}
			for b.Loop() {
				if _, err := plan.Make(b.Context(), &eval.Frame{Runbook: rb}, opts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	good := plan.Answer{Truth: plan.Holds}
	facts := plan.Facts{
		Step:  &runbook.Step{Name: "x", Action: &runbook.Operation{}, Goals: []*runbook.Assertion{{Name: "g"}}},
		Goals: []plan.Answer{{Truth: plan.Fails, Reason: "bad"}}, Arguments: &good, Preview: &plan.Previewed{}, Person: &good, Lock: &good,
	}
	for b.Loop() {
		if d := plan.Decide(facts); d.Row != 19 {
			b.Fatal(d)
		}
	}
}
