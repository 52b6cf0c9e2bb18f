package review

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/runbook"
)

func destructiveUnguarded() *Rule {
	return &Rule{
		ID: "destructive_unguarded", Severity: hcl.DiagError, Summary: "Destruction without a guard of its own",
		Why: "The action destroys something, and the step has neither an `approval`, nor a `limit`, nor a `rollback`. The engine asks a person before it destroys anything, but that person sees only what is hit today: nothing in the runbook says how much it may be, who has to agree, or how it comes back.",
		Bad: []string{`runbook "rotate" {}

step "rotate" {
  action "file.delete_older_than" {
    directory = "backups"
    pattern   = "*.tar"
    age       = "720h"
  }
  goal "nothing_old" {
    probe "file.directory" {
      path       = "backups"
      pattern    = "*.tar"
      older_than = "720h"
      max        = 0
    }
  }
}
`},
		Good: []string{`runbook "rotate" {}

step "rotate" {
  action "file.delete_older_than" {
    directory = "backups"
    pattern   = "*.tar"
    age       = "720h"
  }
  goal "nothing_old" {
    probe "file.directory" {
      path       = "backups"
      pattern    = "*.tar"
      older_than = "720h"
      max        = 0
    }
  }
  limit = { files = 20 }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				if step.Approval != nil || step.Limit != nil || step.Rollback != nil {
					continue
				}
				for _, op := range step.Actions() {
					if r.deeds[op].Destructive {
						say(op.Range, "%s destroys something here, and %s has neither approval, limit nor rollback.", op.Type(), step.Address())
						break
					}
				}
			}
		},
	}
}

func notTakenBack() *Rule {
	return &Rule{
		ID: "not_taken_back", Severity: hcl.DiagWarning, Summary: "A change that no rollback takes back",
		Why: "A failure rolls this runbook back, and what the step changed stays: the systems are left half-way between before and after. Give the step a `rollback`, or say `point_of_no_return = true` where there is no way back from it.",
		Bad: []string{`runbook "release" {
  on_failure = "rollback"
}

step "settings" {
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
		Good: []string{`runbook "release" {
  on_failure = "rollback"
}

step "settings" {
  action "file.copy" {
    from = "settings.new"
    to   = "settings.conf"
  }
  goal "in_place" {
    probe "file.file" {
      path = "settings.conf"
    }
  }
  rollback {
    action "file.copy" {
      from      = "settings.old"
      to        = "settings.conf"
      overwrite = true
    }
    verify "the_old_one" {
      probe "file.file" {
        path    = "settings.conf"
        max_age = "1m"
      }
    }
  }
}
`},
		look: func(r *reading, say say) {
			back := slices.ContainsFunc(r.rb.Steps, func(s *runbook.Step) bool { return s.OnFailure == runbook.RollBack })
			for _, step := range r.rb.Steps {
				if back && r.mutates(step) && step.Rollback == nil && !step.NoReturn && !step.Always {
					say(step.Range, "A failure rolls back, and nothing takes back what %s changes. Give it a rollback, or point_of_no_return = true.", step.Address())
				}
			}
		},
	}
}

func templateInOtherLanguage() *Rule {
	return &Rule{
		ID: "template_in_other_language", Severity: hcl.DiagError, Summary: "A template inside another language",
		Why: "What is filled into SQL, a shell script or the name of a program is read as part of it: a quote, a blank or a semicolon in the value makes it another command. Give values by `params` in SQL and by `env` in a script. Only a call of `sqlquote_identifier` in SQL, or of `shellquote` in a script, may be filled in.",
		Bad: []string{`runbook "size" {}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
}

variable "table" {
  type = string
}

check "has_rows" {
  probe "postgres.query" {
    sql = "SELECT count(*) AS n FROM ${var.table}"
  }
  assert = result.rows[0].n > 0
}
`},
		Good: []string{`runbook "size" {}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
}

variable "table" {
  type = string
}

check "has_rows" {
  probe "postgres.query" {
    sql = "SELECT count(*) AS n FROM ${sqlquote_identifier(var.table)}"
  }
  assert = result.rows[0].n > 0
}
`},
		look: func(r *reading, say say) {
			for _, op := range r.operations() {
				r.templates(op.Operation, say)
			}
		},
	}
}
