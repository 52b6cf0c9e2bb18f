package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Whatever a step would do beyond what was shown of it is said; what was shown
// is not.
func TestGrew(t *testing.T) {
	writes := func(resource string) schema.Effect { return schema.Effect{Resource: resource, Mode: schema.Write} }
	deletes := schema.Effect{Resource: "redis://h:6379/0", Mode: schema.Delete}
	step := func(change func(*plan.Step)) plan.Step {
		s := plan.Step{Address: "step.a", Decision: "run", Action: "redis.flushdb", Reason: "it is stale", Effects: []schema.Effect{writes("redis://h:6379/0")}, Impact: schema.Impact{"keys": 100}}
		if change != nil {
			change(&s)
		}
		return s
	}
	as := func(decision string) plan.Step { return step(func(s *plan.Step) { s.Decision = decision }) }
	tests := map[string]struct {
		shown, now plan.Step
		want       []string
	}{
		"the same":             {step(nil), step(nil), nil},
		"less":                 {step(nil), as("satisfied"), nil},
		"it would now act":     {as("satisfied"), step(nil), []string{"step.a would now act: it is stale"}},
		"it was skipped":       {as("skipped"), step(nil), []string{"step.a would now act: it is stale"}},
		"it is new":            {plan.Step{Address: "step.b"}, step(nil), []string{"step.a would now act: it is stale"}},
		"it might have acted":  {step(func(s *plan.Step) { s.Decision, s.Tentative = "satisfied", true }), step(nil), nil},
		"more than it might":   {step(func(s *plan.Step) { s.Decision, s.Tentative = "satisfied", true }), step(func(s *plan.Step) { s.Effects = append(s.Effects, writes("s3://b/x")) }), []string{"step.a would now write s3://b/x"}},
		"it was open":          {as("deferred"), step(nil), nil},
		"more than was open":   {as("deferred"), step(func(s *plan.Step) { s.Effects, s.Destructive = []schema.Effect{deletes}, true }), []string{"step.a would now be destructive", "step.a would now delete redis://h:6379/0"}},
		"all of it was open":   {step(func(s *plan.Step) { s.Decision, s.Effects, s.Impact = "deferred", nil, nil }), step(func(s *plan.Step) { s.Destructive = true }), nil},
		"a new resource":       {step(nil), step(func(s *plan.Step) { s.Effects = append(s.Effects, writes("redis://h:6379/1")) }), []string{"step.a would now write redis://h:6379/1"}},
		"a part of a resource": {step(nil), step(func(s *plan.Step) { s.Effects = []schema.Effect{writes("redis://h:6379/0/key")} }), nil},
		"a stronger mode":      {step(nil), step(func(s *plan.Step) { s.Effects = []schema.Effect{deletes} }), []string{"step.a would now delete redis://h:6379/0"}},
		"a weaker mode":        {step(func(s *plan.Step) { s.Effects = []schema.Effect{deletes} }), step(nil), nil},
		"newly destructive":    {step(nil), step(func(s *plan.Step) { s.Destructive = true }), []string{"step.a would now be destructive"}},
		"up to 110 %":          {step(nil), step(func(s *plan.Step) { s.Impact = schema.Impact{"keys": 110} }), nil},
		"past 110 %":           {step(nil), step(func(s *plan.Step) { s.Impact = schema.Impact{"keys": 111} }), []string{"step.a would now hit 111 keys, shown were 100"}},
		"another unit":         {step(nil), step(func(s *plan.Step) { s.Impact = schema.Impact{"keys": 100, "rows": 1} }), []string{"step.a would now hit 1 rows, shown were 0"}},
		"undeclared by now":    {step(nil), step(func(s *plan.Step) { s.Effects, s.Undeclared = nil, true }), []string{"step.a does not say any more what it would touch"}},
		"undeclared before":    {step(func(s *plan.Step) { s.Effects, s.Undeclared = nil, true }), step(nil), nil},
		"without an action":    {plan.Step{Address: "step.a", Decision: "satisfied"}, plan.Step{Address: "step.a", Decision: "run", Probe: "redis.get"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := plan.Grew(&plan.Plan{Steps: []plan.Step{test.shown}}, &plan.Plan{Steps: []plan.Step{test.now}})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
