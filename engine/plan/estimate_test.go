package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
)

// Steps side by side take as long as the longest of them, one after another the
// sum; what does not act takes nothing.
func TestForesee(t *testing.T) {
	rb := load(t, step("a", act)+step("b", act+"depends_on = []\n")+step("c", act+"depends_on = [step.a, step.b]\n")+step("d", act+goal)+step("e", act))
	w := &world{on: set("d"), looks: map[string]int{}}
	p, err := plan.Make(t.Context(), frame(t, rb), plan.Options{Run: eval.Run{ID: "p"}, Backend: w, Schemas: w})
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(values ...int) (d []time.Duration) {
		for _, v := range values {
			d = append(d, time.Duration(v)*time.Second)
		}
		return d
	}
	got := plan.Foresee(rb, p, map[string][]time.Duration{
		"step.a": seconds(3, 1, 2), "step.b": seconds(10, 30), "step.c": seconds(5), "step.d": seconds(99),
	})
	want := &plan.Estimate{P50Seconds: 15, P90Seconds: 35, Runs: 3, Unseen: []string{"step.e"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none := plan.Foresee(rb, p, nil); none != nil {
		t.Errorf("without earlier runs: %+v", none)
	}
}
