package runbook

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// refuseStep reports a reference to a step, or to a part of one, that is not
// there.
func (l *loader) refuseStep(ref Reference, sc scope) *hcl.Diagnostic {
	if d := named(l, ref, "step", l.steps); d != nil {
		return d
	}
	if sc.step != nil && sc.step.Name == ref.Name {
		return diag.InvalidReference.At(ref.Range, "A step cannot refer to itself; in its verify, \"self.result\" is what its action returned.")
	}
	x := l.steps[ref.Name]
	if whole, d := instances(ref, x.ForEach != nil); whole || d != nil {
		return d
	}
	if d := attribute(ref, parts(ref.Root)); d != nil {
		return d
	}
	switch ref.Attr {
	case "goal":
		return refuseAssertion(ref, x.Goals)
	case "verify":
		return refuseAssertion(ref, x.Verifies)
	case "result":
		if x.Call != nil {
			return refuseOutput(ref, x.Call.Runbook)
		}
		if x.Operation() == nil {
			return diag.InvalidReference.At(ref.Range, "step.%s does nothing and captures nothing, so it has no result.", x.Name)
		}
	}
	return nil
}

// refuseOutput reports step.x.result.O where the called runbook has no output O.
func refuseOutput(ref Reference, called *Runbook) *hcl.Diagnostic {
	if called == nil || ref.Sub == "" {
		return nil
	}
	names := make([]string, len(called.Outputs))
	for i, o := range called.Outputs {
		names[i] = o.Name
	}
	if slices.Contains(names, ref.Sub) {
		return nil
	}
	d := diag.UnknownName.At(ref.Range, "%s has no output %q, and what it returns are its outputs.", called.File, ref.Sub)
	return suggestWord(d, ref.Sub, names)
}

// refuseAssertion reports step.x.goal.G where x has no G, or G no such part.
func refuseAssertion(ref Reference, have []*Assertion) *hcl.Diagnostic {
	names := make([]string, len(have))
	for i, a := range have {
		names[i] = a.Name
	}
	what := "step." + ref.Name + "." + ref.Attr
	if !slices.Contains(names, ref.Sub) {
		if len(names) == 0 {
			return diag.UnknownName.At(ref.Range, "step.%s has no %s.", ref.Name, ref.Attr)
		}
		if ref.Sub == "" {
			return diag.InvalidReference.At(ref.Range, "%s must be followed by a name: %s has %s.", what, "step."+ref.Name, list(names, "and"))
		}
		d := diag.UnknownName.At(ref.Range, "step.%s has no %s %q.", ref.Name, ref.Attr, ref.Sub)
		return diag.Suggest(d, diag.Nearest(ref.Sub, names))
	}
	if len(ref.Rest) < 3 {
		return diag.InvalidReference.At(ref.Range, "%s.%s is no value by itself: write %s.%s.holds or .result.", what, ref.Sub, what, ref.Sub)
	}
	if part, ok := stepName(ref.Rest[2]); ok && part != "holds" && part != "result" {
		d := diag.InvalidReference.At(ref.Range, "%s.%s has no %q; it has holds and result.", what, ref.Sub, part)
		return diag.Suggest(d, diag.Nearest(part, []string{"holds", "result"}))
	}
	return nil
}

// checkNull reports results that are used as though they were always there:
// a step with a goal, a when or otherwise = "skip" may not have run. reads
// names the steps whose status the user's own when reads; nil where the user is
// no step.
func (l *loader) checkNull(refs []Reference, reads map[string]bool) {
	l.expand(refs, func(r, via Reference) {
		if r.Root != "step" || r.Attr != "result" || r.Guarded || reads[r.Name] {
			return
		}
		x := l.steps[r.Name]
		if x == nil {
			return
		}
		why := mayNotRun(x)
		if why == "" {
			return
		}
		otherwise := ""
		if reads != nil {
			otherwise = fmt.Sprintf(", or give this step a when that reads step.%s.status", x.Name)
		}
		through := ""
		if via.Root == "local" {
			through = " (through local." + via.Name + ")"
		}
		l.add(diag.MayBeNull.At(via.Range, "step.%s.result%s is null where step.%s did not run, and it may not run: it has %s. Write try(step.%s.result.…, …)%s.",
			x.Name, through, x.Name, why, x.Name, otherwise))
	})
}

// mayNotRun says why a step's operation may not run although all is well.
func mayNotRun(s *Step) string {
	switch {
	case len(s.Goals) > 0:
		return "a goal"
	case s.When != nil:
		return "a when"
	}
	for _, p := range s.Preconditions {
		if p.Otherwise == "skip" {
			return "a precondition with otherwise = \"skip\""
		}
	}
	return ""
}
