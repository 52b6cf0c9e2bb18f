package review

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/providers/schema"
)

func mutationWithoutProof() *Rule {
	return &Rule{
		ID: "mutation_without_proof", Severity: hcl.DiagWarning, Summary: "A change that nothing proves",
		Why: "The step changes something and has neither a `goal` nor a `verify`. It counts as done when its action says so, and it acts again each time, also where nothing is left to do. A `goal` says what the step is for; where that cannot be seen beforehand, a `verify` looks afterwards.",
		Bad: []string{`runbook "copy" {}

step "copy" {
  action "file.copy" {
    from = "settings.new"
    to   = "settings.conf"
  }
}
`},
		Good: []string{`runbook "copy" {}

step "copy" {
  action "file.copy" {
    from = "settings.new"
    to   = "settings.conf"
  }
  goal "in_place" {
    probe "file.file" {
      path = "settings.conf"
    }
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				if r.mutates(step) && len(step.Goals)+len(step.Verifies) == 0 {
					say(step.Range, "%s changes something by %s, and nothing looks whether it worked. Add a goal, or a verify.", step.Address(), step.Action.Type())
				}
			}
		},
	}
}

func goalIsPrecondition() *Rule {
	return &Rule{
		ID: "goal_is_precondition", Severity: hcl.DiagError, Summary: "A goal that is a precondition too",
		Why: "Where the goal holds, the step is satisfied and does nothing; where it does not, the precondition stops it. So it never acts. A precondition says what the action needs, a goal what it brings about.",
		Bad: []string{`runbook "publish" {}

step "publish" {
  precondition "export" {
    probe "file.file" {
      path = "public/export.csv"
    }
  }
  action "file.copy" {
    from = "export.csv"
    to   = "public/export.csv"
  }
  goal "published" {
    probe "file.file" {
      path = "public/export.csv"
    }
  }
}
`},
		Good: []string{`runbook "publish" {}

step "publish" {
  precondition "export" {
    probe "file.file" {
      path = "export.csv"
    }
  }
  action "file.copy" {
    from = "export.csv"
    to   = "public/export.csv"
  }
  goal "published" {
    probe "file.file" {
      path = "public/export.csv"
    }
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				needs := map[string]string{}
				for _, p := range step.Preconditions {
					needs[r.question(p)] = p.Name
				}
				for _, goal := range step.Goals {
					if name, same := needs[r.question(goal)]; same {
						say(goal.Range, "The precondition %q asks the same: %s acts only where this goal holds already, which is never. Let the precondition say what the action needs.", name, step.Address())
					}
				}
			}
		},
	}
}

func manualWithoutGoal() *Rule {
	return &Rule{
		ID: "manual_without_goal", Severity: hcl.DiagWarning, Summary: "A lost outcome that only a person can settle",
		Why: "When the engine or a connection is lost in the middle of this action, nobody knows whether it was done, and it is not done again: a `goal` would tell, and there is none. The run then stops until a person resolves the step. Give it a `goal`, or say `idempotent = true` where doing it again is harmless.",
		Bad: []string{`runbook "switch" {}

step "switch" {
  action "exec.run" {
    argv    = ["ln", "-sfn", "releases/2", "current"]
    effects = [{ resource = "file:///srv/current" }]
  }
  verify "healthy" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
  }
}
`},
		Good: []string{`runbook "switch" {}

step "switch" {
  action "exec.run" {
    argv       = ["ln", "-sfn", "releases/2", "current"]
    effects    = [{ resource = "file:///srv/current" }]
    idempotent = true
  }
  verify "healthy" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				d := r.deed(step)
				unproved := d != nil && d.mutates() && len(step.Verifies) == 0 // mutation_without_proof says it
				if d != nil && d.Settling == schema.Manual && len(step.Goals) == 0 && !unproved {
					say(step.Range, "Where the outcome of %s is lost, only a person can tell whether %s was done. Add a goal, or idempotent = true where it is harmless to do it again.", step.Action.Type(), step.Address())
				}
			}
		},
	}
}
