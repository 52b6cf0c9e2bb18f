package review

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mostActors is how many steps with effects are compared, all pairs of them.
const mostActors = 200

func unorderedConflict() *Rule {
	return &Rule{
		ID: "unordered_conflict", Severity: hcl.DiagError, Summary: "Changes of one resource in no order",
		Why: "Both steps touch the same resource, and nothing says which comes first. They never overlap, but either may win: what is there in the end differs from run to run. Let one of them name the other in `depends_on`.",
		Bad: []string{`runbook "settings" {}

step "first" {
  action "file.copy" {
    from = "settings.new"
    to   = "settings.conf"
  }
  goal "first" {
    probe "file.file" {
      path    = "settings.conf"
      max_age = "1m"
    }
  }
}

step "second" {
  depends_on = []
  action "file.copy" {
    from = "settings.local"
    to   = "settings.conf"
  }
  goal "second" {
    probe "file.file" {
      path    = "settings.conf"
      max_age = "2m"
    }
  }
}
`},
		Good: []string{`runbook "settings" {}

step "first" {
  action "file.copy" {
    from = "settings.new"
    to   = "settings.conf"
  }
  goal "first" {
    probe "file.file" {
      path    = "settings.conf"
      max_age = "1m"
    }
  }
}

step "second" {
  depends_on = [step.first]
  action "file.copy" {
    from = "settings.local"
    to   = "settings.conf"
  }
  goal "second" {
    probe "file.file" {
      path    = "settings.conf"
      max_age = "2m"
    }
  }
}
`},
		look: func(r *reading, say say) {
			var actors []*runbook.Step
			for _, step := range r.rb.Steps {
				if len(r.touched(step)) > 0 {
					actors = append(actors, step)
				}
			}
			if len(actors) > mostActors {
				return
			}
			for i, b := range actors {
				for _, a := range actors[:i] {
					resource, conflict := plan.Conflict(r.touched(a), r.touched(b))
					if conflict && !r.before(a, b) && !r.before(b, a) {
						say(b.Range, "%s and %s both touch %s, and nothing says which comes first. Name one in the depends_on of the other.", a.Address(), b.Address(), resource)
					}
				}
			}
		},
	}
}

// touched is what a step's action and fallbacks touch, as far as is known.
func (r *reading) touched(step *runbook.Step) []schema.Effect {
	if step.Action != nil && len(step.Fallbacks) == 0 {
		return r.deeds[step.Action].Effects
	}
	var all []schema.Effect
	if step.Action != nil {
		all = append(all, r.deeds[step.Action].Effects...)
	}
	for _, f := range step.Fallbacks {
		all = append(all, r.deeds[f.Action].Effects...)
	}
	return all
}

// before tells whether an edge leads, near or far, from a step to an earlier one.
func (r *reading) before(earlier, step *runbook.Step) bool {
	reached, known := r.reached[step]
	if !known {
		reached = make([]bool, len(r.rb.Steps))
		stack := []*runbook.Step{step}
		for len(stack) > 0 {
			s := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, edge := range s.Edges {
				if !reached[edge.To.Index] {
					reached[edge.To.Index] = true
					stack = append(stack, edge.To)
				}
			}
		}
		r.reached[step] = reached
	}
	return reached[earlier.Index]
}

func whenReadsRepairedCheck() *Rule {
	return &Rule{
		ID: "when_reads_repaired_check", Severity: hcl.DiagError, Summary: "A condition on what an earlier step repairs",
		Why: "The checks that a `when` reads are looked at together, before the first action: that is the diagnosis, and its answers stand. An earlier step repairs this check, and the `when` still reads that it failed. To look again, ask the check in a `precondition`; to know how the repair went, read the step's status.",
		Bad: []string{`runbook "cache" {}

check "cache" {
  probe "http.get" {
    url = "http://localhost:8080/cache"
  }
}

step "refill" {
  when = check.cache.status == "fails"
  action "file.copy" {
    from = "cache.old"
    to   = "cache.new"
  }
  goal "answers" {
    check  = check.cache
    within = "1m"
  }
}

step "complain" {
  when = check.cache.status == "fails"
  action "core.log" {
    message = "the cache does not answer"
  }
}
`},
		Good: []string{`runbook "cache" {}

check "cache" {
  probe "http.get" {
    url = "http://localhost:8080/cache"
  }
}

step "refill" {
  when = check.cache.status == "fails"
  action "file.copy" {
    from = "cache.old"
    to   = "cache.new"
  }
  goal "answers" {
    check  = check.cache
    within = "1m"
  }
  on_failure = "continue"
}

step "complain" {
  when = step.refill.status == "failed"
  action "core.log" {
    message = "the cache does not answer"
  }
}
`},
		look: func(r *reading, say say) {
			repairs := map[string][]*runbook.Step{}
			for _, step := range r.rb.Steps {
				if step.Action == nil && step.Call == nil {
					continue
				}
				for _, a := range slices.Concat(step.Goals, step.Verifies) {
					for _, use := range a.Checks {
						repairs[use.Name] = append(repairs[use.Name], step)
					}
				}
			}
			if len(repairs) == 0 || len(r.rb.Steps) > 10*mostActors {
				return
			}
			for _, step := range r.rb.Steps {
				for _, name := range step.WhenChecks {
					for _, repair := range repairs[name] {
						if r.before(repair, step) {
							say(step.When.Range(), "%s, which runs before, brings about check.%s; this reads what the check said before anything was done. Ask the check in a precondition, or read %s.status.", repair.Address(), name, repair.Address())
							break
						}
					}
				}
			}
		},
	}
}

func stepNeverRuns() *Rule {
	return &Rule{
		ID: "step_never_runs", Severity: hcl.DiagError, Summary: "A step that can never run",
		Why: "Its `when` is false whatever is observed, it loops over nothing, it compares a status with a word that no status is, or a precondition never holds. Whoever reads the runbook counts on a step that is not there.",
		Bad: []string{`runbook "nightly" {}

step "dump" {
  action "core.log" {
    message = "dumped"
  }
}

step "complain" {
  when = step.dump.status == "error"
  action "core.log" {
    message = "there is no dump"
  }
}
`},
		Good: []string{`runbook "nightly" {
  on_failure = "continue"
}

step "dump" {
  action "core.log" {
    message = "dumped"
  }
}

step "complain" {
  when = step.dump.status == "failed"
  action "core.log" {
    message = "there is no dump"
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				if step.When != nil {
					r.neverTrue(step, say)
				}
				if step.ForEach != nil {
					if over, ok := r.known(step.ForEach, cty.DynamicPseudoType); ok && over.CanIterateElements() && over.LengthInt() == 0 {
						say(step.ForEach.Range(), "This is empty, so %s has no instance.", step.Address())
					}
				}
				for _, p := range step.Preconditions {
					if asked := r.resolve(p); asked.Assert != nil && r.always(asked.Assert) == eval.False {
						say(p.Range, "This precondition never holds, so %s never acts.", step.Address())
					}
				}
			}
		},
	}
}

// neverTrue reports a when that cannot be true, or a comparison in it that cannot.
func (r *reading) neverTrue(step *runbook.Step, say say) {
	if r.always(step.When) == eval.False {
		say(step.When.Range(), "This is false whatever is observed: %s is always skipped.", step.Address())
		return
	}
	words := map[string][]string{"step": runbook.Statuses(), "check": {"holds", "fails", "errors"}}
	_ = hclsyntax.VisitAll(step.When.(hclsyntax.Node), func(n hclsyntax.Node) hcl.Diagnostics {
		compared, ok := n.(*hclsyntax.BinaryOpExpr)
		if !ok || compared.Op != hclsyntax.OpEqual {
			return nil
		}
		for _, sides := range [][2]hclsyntax.Expression{{compared.LHS, compared.RHS}, {compared.RHS, compared.LHS}} {
			refs := runbook.References(sides[0])
			word, known := r.known(sides[1], cty.String)
			if _, whole := sides[0].(*hclsyntax.ScopeTraversalExpr); !whole || !known || len(refs) != 1 || refs[0].Attr != "status" {
				continue
			}
			if these := words[refs[0].Root]; these != nil && !slices.Contains(these, word.AsString()) {
				finding := say(compared.Range(), "No status is %q, so this is never true. It is one of %s.", word.AsString(), list(these))
				diag.Suggest(finding.Diagnostic, diag.Nearest(word.AsString(), these))
			}
		}
		return nil
	})
}
