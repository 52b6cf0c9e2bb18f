package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

func opens(events []event.Event) []*event.Event {
	open := map[string]*event.Event{}
	for i := range events {
		switch e := &events[i]; e.Type {
		case event.ActionStarted:
			open[e.Step] = e
		case event.ActionFinished:
			if e.Attempt.State != schema.Unknown {
				delete(open, e.Step)
			}
		}
	}
	return slices.Collect(maps.Values(open))
}

func TestCrashEverywhere(t *testing.T) {
	nested := map[string]string{
		"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo) + "step \"y\" {\n call {\n runbook = \"deep.hcl\"\n }\n}\n" + step("q", set+undo),
		"deep.hcl":  "runbook \"deep\" {}\n" + step("d", set+undo) + step("e", set+undo),
	}
	innerBack := map[string]string{
		"other.hcl": "runbook \"other\" {\n on_failure = \"rollback\"\n}\n" + step("p", set+undo) + "step \"y\" {\n call {\n runbook = \"deep.hcl\"\n }\n}\n" + step("q", set+undo),
		"deep.hcl":  "runbook \"deep\" {}\n" + step("d", set+undo) + step("e", set+undo),
	}
	each := "for_each = [\"x\", \"y\"]\n"
	inst := func(s string) string { return strings.ReplaceAll(s, "NAME", "NAME-${each.key}") }
	eachCall := "step \"x\" {\n for_each = [\"k\", \"l\"]\n max_parallel = 1\n call {\n runbook = \"each.hcl\"\n variables = { k = each.key }\n }\n}\n"
	eachFile := map[string]string{"each.hcl": "runbook \"each\" {}\nvariable \"k\" {\n type = string\n}\n" + strings.ReplaceAll(step("p", set+undo)+step("q", set+undo), "\"p\"\n", "\"p-${var.k}\"\n")}
	eachFile["each.hcl"] = strings.NewReplacer(`name  = "p"`, `name = "p-${var.k}"`, `name  = "q"`, `name = "q-${var.k}"`, `name  = "undo-p"`, `name = "undo-p-${var.k}"`, `name  = "undo-q"`, `name = "undo-q-${var.k}"`).Replace(eachFile["each.hcl"])
	tests := map[string]struct {
		source string
		files  map[string]string
		ends   map[string]schema.State
		hand   bool
	}{
		"each":              {step("a", each+inst(set+undo)) + step("b", set+undo+back), nil, map[string]schema.State{"b": schema.FailedPartial}, false},
		"each roll":         {step("a", each+"max_parallel = 1\n"+inst(set+undo)+back), nil, map[string]schema.State{"a-y": schema.FailedPartial}, false},
		"nested":            {step("a", set+undo) + call("") + step("b", set+undo+back), nested, map[string]schema.State{"b": schema.FailedPartial}, false},
		"nested bad":        {step("a", set+undo) + call(back), nested, map[string]schema.State{"q": schema.FailedPartial}, false},
		"deep bad":          {step("a", set+undo) + call(back), nested, map[string]schema.State{"e": schema.FailedPartial}, false},
		"inner":             {step("a", set+undo) + call("on_failure = \"continue\"\n") + "step \"b\" {\n depends_on = [step.a]\n" + strings.ReplaceAll(set, "NAME", "b") + "}\n", innerBack, map[string]schema.State{"q": schema.FailedPartial}, false},
		"inner and outer":   {step("a", set+undo) + call(back), innerBack, map[string]schema.State{"q": schema.FailedPartial}, false},
		"each call":         {step("a", set+undo) + eachCall + step("b", set+undo+back), eachFile, map[string]schema.State{"b": schema.FailedPartial}, false},
		"by hand":           {step("a", each+inst(set+undo)) + step("b", set+undo), nil, nil, true},
		"nested by hand":    {step("a", set+undo) + call("") + step("b", set+undo), nested, nil, true},
		"each call by hand": {step("a", set+undo) + eachCall, eachFile, nil, true},
		"fallback":          {step("a", set+undo) + step("b", set+undo+back+"fallback \"f\" {\n"+strings.ReplaceAll(set, "NAME", "f")+"}\n"), nil, map[string]schema.State{"b": schema.FailedPartial, "f": schema.FailedPartial}, false},
		"always":            {step("a", set+undo) + step("b", set+undo+back) + step("last", set+"always = true\n"), nil, map[string]schema.State{"b": schema.FailedPartial}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			one := func() *trial {
				files := map[string]string{}
				maps.Copy(files, test.files)
				tr := calling(t, test.source, files)
				tr.settling = schema.Manual
				tr.ends(test.ends)
				return tr
			}
			wanted := one()
			r := wanted.run()
			if test.hand {
				wanted.opts.TakeBack, wanted.opts.Start.TakeBack = true, true
				r = wanted.again()
			}
			want := statuses(r)
			calls := slices.Sorted(slices.Values(wanted.calls))
			for k := 1; k < 200; k++ {
				tr := one()
				if test.hand {
					tr.run()
					tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
				}
				tr.record.fails = k
				tr.opts.History = slices.Clone(tr.record.events)
				if first := tr.run(); first.RecordError == nil {
					return
				}
				tr.record.fails = 0
				if k > 1 {
					tr.opts.TakeBack, tr.opts.Start.TakeBack = false, false
				}
				var said string
				for range 3 {
					tr.opts.Resolve = map[string]string{}
					for _, open := range opens(tr.record.events) {
						tr.opts.Resolve[open.Step] = apply.ResolveDone
						name := strings.Fields(open.Attempt.Command)[1]
						if _, bad := test.ends[name]; bad {
							tr.opts.Resolve[open.Step] = apply.ResolveFail
						}
					}
					r := tr.again()
					said = statuses(r)
					if len(r.Unknown) == 0 {
						break
					}
				}
				if said != want {
					t.Errorf("cut off after %d: %s\nwant %s", k, said, want)
				}
				if got := slices.Sorted(slices.Values(tr.calls)); fmt.Sprint(got) != fmt.Sprint(calls) {
					t.Errorf("cut off after %d: called\n%v, want\n%v", k, tr.calls, wanted.calls)
				}
			}
		})
	}
}
