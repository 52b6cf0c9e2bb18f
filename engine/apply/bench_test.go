package apply_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
)

type nobody struct{}

func (nobody) Emit(event.Event) error { return nil }

// The time a step takes must not grow with their number: compare ns/step.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for _, shape := range []string{"written order", "side by side", "on one resource"} {
			b.Run(fmt.Sprintf("%s/%d", shape, n), func(b *testing.B) {
				rb := chain(b, n, shapes()[shape])
				for b.Loop() {
					w := newWorld(nil)
					r := apply.Run(b.Context(), apply.Options{
						Frame: &eval.Frame{Runbook: rb}, Run: eval.Run{ID: "r", StartedAt: time.Now()}, Backend: w, Schemas: w,
						Record: &memory{}, Screen: nobody{}, Clock: clock.Real{},
					})
					if r.Outcome != apply.Succeeded {
						b.Fatal(r.Outcome)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
			})
		}
	}
}

// shapes are what the steps of a chain hold beside an action of their own.
func shapes() map[string]string {
	const free = "depends_on = []\n"
	return map[string]string{
		"written order":   set,
		"side by side":    set + free,
		"on one resource": strings.Replace(set, "value ", "touches = \"fake://host/all\"\n    value ", 1) + free,
	}
}

func chain(b *testing.B, n int, body string) *runbook.Runbook {
	var source strings.Builder
	source.WriteString("runbook \"test\" {\n}\n")
	for i := range n {
		source.WriteString(step(fmt.Sprintf("s%d", i), body))
	}
	file := filepath.Join(b.TempDir(), "test.hcl")
	if err := os.WriteFile(file, []byte(source.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	return rb
}
