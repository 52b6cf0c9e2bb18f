package review

import "github.com/hashicorp/hcl/v2"

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
