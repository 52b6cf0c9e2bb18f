package review

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

func sleepInsteadOfDeadline() *Rule {
	return &Rule{
		ID: "sleep_instead_of_deadline", Severity: hcl.DiagWarning, Summary: "A sleep instead of a deadline",
		Why: "A sleep is too short on a bad day and too long on every other, and says nothing when it is over. `within` looks until something holds, and fails when it is too late; `hold_for` looks that it goes on holding.",
		Bad: []string{`runbook "restart" {}

step "restart" {
  action "file.write" {
    path    = "restart"
    content = "now"
  }
  verify "answers" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
  }
}

step "settle" {
  action "core.wait" {
    duration = "2m"
  }
}

step "still_there" {
  precondition "answers" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
  }
}
`},
		Good: []string{`runbook "restart" {}

step "restart" {
  action "file.write" {
    path    = "restart"
    content = "now"
  }
  verify "answers" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
    within   = "1m"
    hold_for = "2m"
  }
}
`},
		look: func(r *reading, say say) {
			for _, op := range r.operations() {
				for _, command := range r.commands(op.Operation) {
					if command[0] == "sleep" || command[0] == "/bin/sleep" {
						say(op.Range, "It sleeps. Look for what it waits for, in a goal, a verify or a precondition with within.")
						break
					}
				}
			}
			for _, step := range r.rb.Steps {
				for _, edge := range step.Edges {
					wait := edge.To.Action
					if wait != nil && wait.Type() == "core.wait" && len(step.Assertions()) > 0 {
						say(wait.Range, "%s looks at something once this time is over. Let it look until it holds, by within, or that it goes on holding, by hold_for.", step.Address())
					}
				}
			}
		},
	}
}

func retryNeverApplies() *Rule {
	return &Rule{
		ID: "retry_never_applies", Severity: hcl.DiagError, Summary: "A retry that can never apply", Fixable: true,
		Why: "An action is tried again where its failure is known to have changed nothing, or where doing it again is harmless. Here that never comes: the program may have done half of it, the `when` is never true, or the step's time is over before the second. The retry reads as a safety that is not there.",
		Bad: []string{`runbook "fetch" {}

step "fetch" {
  action "exec.run" {
    argv    = ["./fetch-bars"]
    effects = [{ resource = "file:///srv/bars" }]
  }
  goal "fetched" {
    probe "file.file" {
      path    = "bars.csv"
      max_age = "10m"
    }
  }
  retry {
    attempts = 3
  }
}
`},
		Good: []string{`runbook "fetch" {}

step "fetch" {
  action "exec.run" {
    argv       = ["./fetch-bars"]
    effects    = [{ resource = "file:///srv/bars" }]
    idempotent = true
  }
  goal "fetched" {
    probe "file.file" {
      path    = "bars.csv"
      max_age = "10m"
    }
  }
  retry {
    attempts = 3
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				why := r.neverRetried(step)
				if why == "" {
					continue
				}
				finding := say(step.Retry.Range, "%s", why)
				if block := r.block(step.Retry.Range); block != nil {
					finding.Edits = []Edit{{Range: r.lines(block.Range(), block.CloseBraceRange)}}
				}
			}
		},
	}
}

func (r *reading) neverRetried(step *runbook.Step) string {
	retry := step.Retry
	switch {
	case retry == nil || step.Action == nil:
		return ""
	case retry.When != nil && r.always(retry.When) == eval.False:
		return "Its when is false whatever the error is."
	case step.Timeout > 0 && retry.Delay >= step.Timeout:
		return "The step's timeout of " + plan.Seconds(step.Timeout) + " is over before the second attempt, which comes after " + plan.Seconds(retry.Delay) + "."
	case step.Action.Type() == "exec.run" && r.deed(step).Settling == schema.Manual:
		return "A program that failed may have done half of its work, so it is not started again. Say idempotent = true where that is harmless, or leave the retry out."
	}
	return ""
}

// block is the block that begins at a range, or nil.
func (r *reading) block(at hcl.Range) *hclsyntax.Block {
	var find func(body *hclsyntax.Body) *hclsyntax.Block
	find = func(body *hclsyntax.Body) *hclsyntax.Block {
		for _, block := range body.Blocks {
			whole := hcl.RangeBetween(block.TypeRange, block.CloseBraceRange)
			switch {
			case block.TypeRange.Start.Byte == at.Start.Byte:
				return block
			case whole.Start.Byte < at.Start.Byte && at.Start.Byte < whole.End.Byte:
				return find(block.Body)
			}
		}
		return nil
	}
	if body := r.rb.Bodies[at.Filename]; body != nil {
		return find(body)
	}
	return nil
}

// lines is all from the beginning of the line of one range to the end of that of
// another, with an empty line before where one follows.
func (r *reading) lines(from, to hcl.Range) hcl.Range {
	source := r.rb.Sources[from.Filename]
	at := hcl.Range{Filename: from.Filename, Start: from.Start, End: to.End}
	for at.Start.Byte > 0 && source[at.Start.Byte-1] != '\n' {
		at.Start.Byte--
	}
	for at.End.Byte < len(source) && source[at.End.Byte] != '\n' {
		at.End.Byte++
	}
	at.End.Byte = min(at.End.Byte+1, len(source))
	if at.Start.Byte > 1 && source[at.Start.Byte-2] == '\n' {
		at.Start.Byte--
	}
	return at
}

func approvalNobodyGives() *Rule {
	return &Rule{
		ID: "approval_nobody_gives", Severity: hcl.DiagError, Summary: "An approval that nobody may give",
		Why: "The step wants more different people than `approvers` names, so it waits for ever, or until its timeout fails it.",
		Bad: []string{`runbook "failover" {}

step "desk" {
  approval {
    message   = "May inference be stale for ten minutes?"
    approvers = ["ana"]
    count     = 2
  }
}
`},
		Good: []string{`runbook "failover" {}

step "desk" {
  approval {
    message   = "May inference be stale for ten minutes?"
    approvers = ["ana", "bo"]
    count     = 2
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				if step.Approval == nil || step.Approval.Approvers == nil {
					continue
				}
				who, ok := r.known(step.Approval.Approvers, cty.DynamicPseudoType)
				if !ok || !who.CanIterateElements() {
					continue
				}
				people := map[string]bool{}
				for _, v := range who.Elements() {
					if v.Type() == cty.String && v.AsString() != "" {
						people[v.AsString()] = true
					}
				}
				if len(people) < step.Approval.Count {
					say(step.Approval.Approvers.Range(), "%d different people have to say yes, and these are %d.", step.Approval.Count, len(people))
				}
			}
		},
	}
}

func timeoutShorterThanHold() *Rule {
	return &Rule{
		ID: "timeout_shorter_than_hold", Severity: hcl.DiagError, Summary: "A timeout shorter than what has to hold",
		Why: "Something has to go on holding for longer than the whole runbook may take, so the run can only fail. Give the runbook more time, or let it hold for less.",
		Bad: []string{`runbook "restart" {
  timeout = "5m"
}

step "up" {
  precondition "stays_up" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
    hold_for = "10m"
  }
}
`},
		Good: []string{`runbook "restart" {
  timeout = "15m"
}

step "up" {
  precondition "stays_up" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
    hold_for = "10m"
  }
}
`},
		look: func(r *reading, say say) {
			if r.rb.Timeout == 0 {
				return
			}
			done := map[*runbook.Step]time.Duration{}
			for _, step := range plan.Ordered(r.rb) {
				var before time.Duration
				for _, edge := range step.Edges {
					before = max(before, done[edge.To])
				}
				held, longest := time.Duration(0), (*runbook.Assertion)(nil)
				for _, side := range [][]*runbook.Assertion{step.Preconditions, step.Goals, step.Verifies} {
					var most time.Duration
					for _, a := range side {
						if hold := r.observer.Patience(a).HoldFor; hold > most {
							most, longest = hold, a
						}
					}
					held += most
				}
				done[step] = before + held
				if longest != nil && done[step] > r.rb.Timeout && before <= r.rb.Timeout {
					say(longest.Range, "Up to here things have to hold for %s, and the runbook has to end within %s.", plan.Seconds(done[step]), plan.Seconds(r.rb.Timeout))
				}
			}
		},
	}
}
