package review

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

func proofCannotFail() *Rule {
	return &Rule{
		ID: "proof_cannot_fail", Severity: hcl.DiagError, Summary: "An assertion that cannot fail",
		Why: "An assertion that holds whatever the system answers proves nothing, and reads as if it did. It is always true, or compares something with itself; or it looks by a query and accepts every row that comes; or what a `goal` or `verify` asserts was settled before the action ran. Say in `assert` what the `result` must be.",
		Bad: []string{`runbook "prune" {}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
}

step "prune" {
  action "postgres.delete" {
    table     = "visits"
    where     = "at < now() - interval '1 year'"
    backup_to = "visits_deleted"
  }
  goal "old_visits_are_gone" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS old FROM visits WHERE at < now() - interval '1 year'"
    }
  }
  limit = { rows = 50000 }
}
`},
		Good: []string{`runbook "prune" {}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
}

step "prune" {
  action "postgres.delete" {
    table     = "visits"
    where     = "at < now() - interval '1 year'"
    backup_to = "visits_deleted"
  }
  goal "old_visits_are_gone" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS old FROM visits WHERE at < now() - interval '1 year'"
    }
    assert = result.rows[0].old == 0
  }
  limit = { rows = 50000 }
}
`},
		look: func(r *reading, say say) {
			for _, name := range sorted(r.rb.Checks) {
				r.cannotFail(&r.rb.Checks[name].Assertion, say)
			}
			for _, step := range r.rb.Steps {
				for _, a := range step.Assertions() {
					r.cannotFail(a, say)
				}
			}
		},
	}
}

// cannotFail says why an assertion cannot fail, by what it says itself: what its
// check says is said of the check.
func (r *reading) cannotFail(a *runbook.Assertion, say say) {
	asked := r.resolve(a)
	proof := a.Kind == "goal" || a.Kind == "verify"
	switch {
	case a.Assert != nil && r.always(a.Assert) == eval.True:
		say(a.Assert.Range(), "This holds whatever is observed. Say what the result must be.")
	case a.Assert != nil && r.tautology(a.Assert.(hclsyntax.Expression)):
		say(a.Assert.Range(), "Here something is compared with itself, so this always holds.")
	case a.Assert != nil && proof && !r.reads(a.Assert, "result", "self"):
		say(a.Assert.Range(), "Nothing that is looked at takes part in this, so the action cannot change it: it holds before and after, or never. Say what the result must be.")
	case a.Probe != nil && asked.Assert == nil && a.Probe.Type() == "postgres.query":
		say(a.Range, "postgres.query is content with every answer, also with no row. Say in assert what the rows must hold.")
	case a.Probe != nil && asked.Assert == nil:
		if last := r.succeeds(a.Probe); last != "" {
			say(a.Probe.Range, "It ends by %q, which always succeeds, so this always holds.", last)
		}
	}
}

// tautology tells whether a part of a condition that decides it compares
// something with itself, or an amount with what it is never below.
func (r *reading) tautology(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return r.tautology(e.Expression)
	case *hclsyntax.BinaryOpExpr:
		switch e.Op {
		case hclsyntax.OpLogicalOr:
			if not, ok := e.RHS.(*hclsyntax.UnaryOpExpr); ok && not.Op == hclsyntax.OpLogicalNot && r.text(not.Val) == r.text(e.LHS) {
				return true
			}
			return r.tautology(e.LHS) || r.tautology(e.RHS)
		case hclsyntax.OpLogicalAnd:
			return r.tautology(e.LHS) && r.tautology(e.RHS)
		case hclsyntax.OpEqual, hclsyntax.OpGreaterThanOrEqual, hclsyntax.OpLessThanOrEqual:
			if r.text(e.LHS) == r.text(e.RHS) {
				return true
			}
			call, ok := e.LHS.(*hclsyntax.FunctionCallExpr)
			return ok && call.Name == "length" && e.Op == hclsyntax.OpGreaterThanOrEqual && r.text(e.RHS) == "0"
		}
	}
	return false
}

var endsWell = []string{"true", ":", "exit 0"}

// succeeds is how a program ends so that its exit code tells nothing; empty: it may
// fail.
func (r *reading) succeeds(op *runbook.Operation) string {
	commands := r.commands(op)
	if len(commands) == 0 {
		return ""
	}
	last := strings.Join(commands[len(commands)-1], " ")
	if !slices.Contains(endsWell, last) && last != "echo" && !strings.HasPrefix(last, "echo ") {
		return ""
	}
	if script := argument(op, "script"); script != nil {
		lines := strings.Split(strings.TrimSpace(r.script(script)), "\n")
		if end := lines[len(lines)-1]; strings.Contains(end, "&&") && !strings.Contains(end, "||") {
			return "" // it comes to this only where what is before it has succeeded
		}
		if strings.Contains(r.script(script), "set -e") {
			return ""
		}
	}
	return last
}

func proofReadsOwnResult() *Rule {
	return &Rule{
		ID: "proof_reads_own_result", Severity: hcl.DiagWarning, Summary: "A proof that reads only what the action wrote",
		Why: "What an action says of itself, or writes down, is no proof that it worked: a program that does nothing and reports success passes. Look at the system with a probe, by another way than the action took.",
		Bad: []string{`runbook "restart" {}

step "restart" {
  action "exec.run" {
    argv       = ["systemctl", "restart", "shop"]
    effects    = [{ resource = "systemd://localhost/shop" }]
    idempotent = true
  }
  verify "it_is_up" {
    assert = self.result.exit_code == 0
  }
}
`},
		Good: []string{`runbook "restart" {}

step "restart" {
  action "exec.run" {
    argv       = ["systemctl", "restart", "shop"]
    effects    = [{ resource = "systemd://localhost/shop" }]
    idempotent = true
  }
  verify "it_is_up" {
    probe "http.get" {
      url = "http://localhost:8080/health"
    }
    within = "1m"
  }
}
`},
		look: func(r *reading, say say) {
			for _, step := range r.rb.Steps {
				if step.Action == nil {
					continue
				}
				written := r.written(step.Action)
				for _, a := range proofs(step) {
					asked := r.resolve(a)
					switch {
					case asked.Assert != nil && r.reads(asked.Assert, "self") && !r.reads(asked.Assert, "result"):
						say(asked.Assert.Range(), "This reads only what %s returned. Look at the system with a probe, and assert what its result must be.", step.Action.Type())
					case len(written) > 0 && a.Probe != nil:
						if file := r.readBack(a.Probe, written); file != "" {
							say(a.Probe.Range, "It looks into %s, which the action itself writes. Look at what the action was to change.", file)
						}
					}
				}
			}
		},
	}
}

// written are the files that a script writes its own words into.
func (r *reading) written(op *runbook.Operation) []string {
	if op.Type() != "exec.run" {
		return nil
	}
	script := argument(op, "script")
	if script == nil {
		return nil
	}
	var files []string
	for _, m := range redirection.FindAllStringSubmatch(r.script(script), -1) {
		if !strings.HasPrefix(m[1], "/dev/") {
			files = append(files, m[1])
		}
	}
	return files
}

// readBack is the first of files that a program is given to read, or empty.
func (r *reading) readBack(op *runbook.Operation, files []string) string {
	for _, command := range r.commands(op) {
		for _, word := range command {
			if slices.Contains(files, word) {
				return word
			}
		}
	}
	return ""
}

func exitCodeAsProof() *Rule {
	return &Rule{
		ID: "exit_code_as_proof", Severity: hcl.DiagWarning, Summary: "An exit code alone as proof",
		Why: "Many programs exit with 0 when nothing is right: `psql` on stale data, `curl` on an error page, a script whose last line is a message. An exit code is a proof only of programs whose answer it is, such as `test`, `grep -q` or `systemctl is-active`. Assert what was written to `result.stdout`, or use the provider that knows the system.",
		Bad: []string{`runbook "load" {}

step "load" {
  action "exec.run" {
    argv       = ["./load-bars"]
    effects    = [{ resource = "file:///srv/bars" }]
    idempotent = true
  }
  goal "bars_are_fresh" {
    probe "exec.run" {
      argv = ["./count-bars", "--today"]
    }
  }
}
`},
		Good: []string{`runbook "load" {}

step "load" {
  action "exec.run" {
    argv       = ["./load-bars"]
    effects    = [{ resource = "file:///srv/bars" }]
    idempotent = true
  }
  goal "bars_are_fresh" {
    probe "exec.run" {
      argv = ["./count-bars", "--today"]
    }
    assert  = result.ok && try(tonumber(trimspace(result.stdout)), 0) > 0
    message = "no bar of today was loaded"
  }
}
`},
		look: func(r *reading, say say) {
			seen := map[*runbook.Operation]bool{}
			for _, step := range r.rb.Steps {
				for _, a := range proofs(step) {
					asked := r.resolve(a)
					if asked.Probe == nil || seen[asked.Probe] || asked.Assert != nil && !r.onlyExitCode(asked.Assert) || r.succeeds(asked.Probe) != "" {
						continue
					}
					seen[asked.Probe] = true
					commands := r.commands(asked.Probe)
					if len(commands) == 0 {
						continue
					}
					if last := commands[len(commands)-1]; last[0] != "" && !answersByExitCode(last) {
						say(asked.Probe.Range, "That %s exits with 0 is all that is looked at. Assert what result.stdout must be, or look with the provider of the system.", last[0])
					}
				}
			}
		},
	}
}

// onlyExitCode tells whether a condition looks at nothing of a result but how the
// program ended.
func (r *reading) onlyExitCode(expr hcl.Expression) bool {
	refs := r.references(expr)
	for _, ref := range refs {
		if ref.Root == "result" && ref.Name != "ok" && ref.Name != "exit_code" {
			return false
		}
	}
	return true
}
