package review

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/runbook"
)

func unusedVariable() *Rule {
	return &Rule{
		ID: "unused_variable", Severity: hcl.DiagWarning, Summary: "A variable that nothing uses",
		Why: "Whoever runs the runbook sets it and expects that it counts. Use it, or take it away; what files of values and calls give to it has to go too.",
		Bad: []string{`runbook "say" {}

variable "who" {
  type    = string
  default = "ana"
}

step "say" {
  action "core.log" {
    message = "hello"
  }
}
`},
		Good: []string{`runbook "say" {}

variable "who" {
  type    = string
  default = "ana"
}

step "say" {
  action "core.log" {
    message = "hello, ${var.who}"
  }
}
`},
		look: func(r *reading, say say) {
			used := r.used()
			for _, name := range sorted(r.rb.Variables) {
				v := r.rb.Variables[name]
				if v.Range.Filename == r.rb.File && !used["var."+name] {
					say(v.Range, "Nothing uses var.%s.", name)
				}
			}
		},
	}
}

func unusedLocal() *Rule {
	return &Rule{
		ID: "unused_local", Severity: hcl.DiagWarning, Summary: "A local that nothing uses", Fixable: true,
		Why: "It was left behind, or a name that was to use it says something else. Use it, or take it away.",
		Bad: []string{`runbook "say" {}

locals {
  text  = "hello"
  again = "hello again"
}

step "say" {
  action "core.log" {
    message = local.text
  }
}
`},
		Good: []string{`runbook "say" {}

locals {
  text = "hello"
}

step "say" {
  action "core.log" {
    message = local.text
  }
}
`},
		look: func(r *reading, say say) {
			used := r.used()
			for _, name := range sorted(r.rb.Locals) {
				local := r.rb.Locals[name]
				if local.Range.Filename == r.rb.File && !used["local."+name] {
					finding := say(local.Range, "Nothing uses local.%s.", name)
					finding.Edits = []Edit{{Range: r.lines(local.Range, local.Expr.Range())}}
				}
			}
		},
	}
}

func unusedCheck() *Rule {
	return &Rule{
		ID: "unused_check", Severity: hcl.DiagWarning, Summary: "A check that no step uses",
		Why: "The runbook has steps, and none of them asks this check, neither as a precondition, a goal or a verify, nor in an expression: it says what is good, and nothing is done about it. `runbook check` alone looks at it. A runbook of checks alone is a checklist, and fine.",
		Bad: []string{`runbook "say" {}

check "machine" {
  probe "core.host" {
    min_disk_free_percent = 10
  }
}

step "say" {
  action "core.log" {
    message = "hello"
  }
}
`},
		Good: []string{`runbook "say" {}

check "machine" {
  probe "core.host" {
    min_disk_free_percent = 10
  }
}

step "say" {
  precondition "machine" { check = check.machine }
  action "core.log" {
    message = "hello"
  }
}
`},
		look: func(r *reading, say say) {
			if len(r.rb.Steps) == 0 {
				return
			}
			used := r.used()
			for _, name := range sorted(r.rb.Checks) {
				check := r.rb.Checks[name]
				if check.Range.Filename == r.rb.File && !used["check."+name] {
					say(check.Range, "No step asks check.%s.", name)
				}
			}
		},
	}
}

// findUsed finds the names that anything but their own declaration refers to.
func (r *reading) findUsed() map[string]bool {
	used := map[string]bool{}
	for _, body := range r.rb.Bodies {
		for _, block := range body.Blocks {
			own := ""
			if block.Type == "variable" {
				own = "var." + label(block)
			}
			for _, ref := range runbook.BodyReferences(block.Body) {
				name := ref.Root + "." + ref.Name
				used[name] = used[name] || name != own
			}
		}
		for _, attr := range body.Attributes {
			for _, ref := range runbook.References(attr.Expr) {
				used[ref.Root+"."+ref.Name] = true
			}
		}
	}
	return used
}

// list names words for people.
func list(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = `"` + word + `"`
	}
	return strings.Join(quoted, ", ")
}
