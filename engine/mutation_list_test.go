package engine

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// mutations lists all of them.
func mutations() []mutation {
	return []mutation{
		{"take away every proof", "mutation_without_proof", eachStep(func(s step) bool {
			return s.mutates() && s.drop("goal", "verify")
		})},
		{"assert true", "proof_cannot_fail", eachAssertion(func(a *hclwrite.Block) bool {
			return asks(a) && give(a, "assert", "true")
		})},
		{"let the assertion end in || true", "proof_cannot_fail", eachAssertion(func(a *hclwrite.Block) bool {
			said := a.Body().GetAttribute("assert")
			return said != nil && give(a, "assert", "("+expression(said)+") || true")
		})},
		{"assert what the action cannot change", "proof_cannot_fail", eachProof(func(a *hclwrite.Block) bool {
			return asks(a) && give(a, "assert", `run.id != ""`)
		})},
		{"accept every row", "proof_cannot_fail", eachAssertion(func(a *hclwrite.Block) bool {
			probe := first(a.Body(), "probe")
			return probe != nil && probe.Labels()[0] == "postgres.query" && a.Body().RemoveAttribute("assert") != nil
		})},
		{"look by a program that always succeeds", "proof_cannot_fail", eachProof(func(a *hclwrite.Block) bool {
			return asks(a) && ask(a, `script = "systemctl is-active shop || true"`)
		})},
		{"believe what the action says", "proof_reads_own_result", eachStep(func(s step) bool {
			return s.action() != nil && s.drop("goal", "verify") && add(s.block, "verify \"said\" {\n  assert = self.result.ok\n}")
		})},
		{"believe an exit code", "exit_code_as_proof", eachProof(func(a *hclwrite.Block) bool {
			return asks(a) && ask(a, `argv = ["./ask-whether", "it-worked"]`)
		})},
		{"require the goal beforehand", "goal_is_precondition", eachStep(func(s step) bool {
			goal := first(s.block.Body(), "goal")
			return goal != nil && asks(goal) && add(s.block, "precondition \"the_goal\" {\n"+string(goal.Body().BuildTokens(nil).Bytes())+"}")
		})},
		{"leave a lost outcome to a person", "manual_without_goal", eachStep(func(s step) bool {
			if s.does() != "exec.run" || s.is("runbook:ignore") {
				return false
			}
			s.drop("goal", "verify")
			s.action().Body().RemoveAttribute("idempotent")
			return add(s.block, "verify \"there\" {\n  probe \"exec.run\" {\n    argv = [\"test\", \"-e\", \"x\"]\n  }\n}")
		})},
		{"destroy without a guard", "destructive_unguarded", eachStep(func(s step) bool {
			if s.does() != "exec.run" || s.is("runbook:ignore destructive") {
				return false
			}
			s.drop("approval", "limit", "rollback")
			return give(s.action(), "effects", `[{ resource = "file:///srv/data", mode = "delete" }]`)
		})},
		{"take the guards of what destroys away", "destructive_unguarded", eachStep(func(s step) bool {
			destroys := []string{"postgres.delete", "feast.purge_view", "file.delete_older_than", "file.archive", "git.checkout_paths", "dvc.checkout"}
			return slices.Contains(destroys, s.does()) && s.drop("approval", "limit", "rollback")
		})},
		{"take the way back away", "not_taken_back", eachStep(func(s step) bool {
			return s.mutates() && s.rollsBack() && s.drop("rollback")
		})},
		{"roll back where there is no way", "not_taken_back", eachStep(func(s step) bool {
			return s.mutates() && !s.rollsBack() && !s.has("rollback", "point_of_no_return", "always", "on_failure") && give(first(s.file, "runbook"), "on_failure", `"rollback"`)
		})},
		{"fill a value into SQL", "template_in_other_language", eachOperation("postgres.", func(op *hclwrite.Block) bool {
			for _, name := range []string{"sql", "where"} {
				if op.Body().GetAttribute(name) != nil {
					return give(op, name, `"id = '${run.id}'"`)
				}
			}
			return false
		})},
		{"fill a value into the name of a program", "template_in_other_language", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return command(op, `argv = ["./run-${run.id}"]`)
		})},
		{"fill a value into a script", "template_in_other_language", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return command(op, `script = "test -e '${run.id}'"`)
		})},
		{"write a password down", "secret_in_plain_text", eachBlock("provider", func(p *hclwrite.Block) bool {
			return p.Body().GetAttribute("password") != nil && give(p, "password", `"correct-horse"`)
		})},
		{"hand a secret to a program", "secret_in_plain_text", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return give(op, "env", `{ API_TOKEN = "correct-horse" }`)
		})},
		{"start psql", "shell_where_typed", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return command(op, `script = "PGHOST=db psql -c 'SELECT 1' | grep -q 1"`)
		})},
		{"start redis-cli in a container", "shell_where_typed", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return command(op, `argv = ["docker", "exec", "-i", "redis", "redis-cli", "PING"]`)
		})},
		{"do it twice, in no order", "unordered_conflict", eachStep(func(s step) bool {
			if !s.mutates() || s.undeclared() || s.has("always") {
				return false
			}
			twin := strings.Replace(string(s.block.BuildTokens(nil).Bytes()), `step "`+s.name()+`"`, `step "twin"`, 1)
			parsed := parse(twin).Body().Blocks()[0]
			parsed.Body().RemoveAttribute("when")
			give(parsed, "depends_on", "[]")
			s.file.AppendNewline()
			s.file.AppendBlock(parsed)
			return true
		})},
		{"ask again what is repaired", "when_reads_repaired_check", eachStep(func(s step) bool {
			goal := first(s.block.Body(), "goal")
			if s.action() == nil || goal == nil || goal.Body().GetAttribute("check") == nil {
				return false
			}
			repaired := expression(goal.Body().GetAttribute("check"))
			return !strings.Contains(repaired, "[") && appendText(s.file, "step \"complain\" {\n  when = "+repaired+".status == \"fails\"\n  action \"core.log\" {\n    message = \"it is not repaired\"\n  }\n}")
		})},
		{"never run it", "step_never_runs", eachStep(func(s step) bool { return give(s.block, "when", "false") })},
		{"wait for a status that there is not", "step_never_runs", eachStep(func(s step) bool {
			return !s.has("for_each") && appendText(s.file, "step \"after\" {\n  when = step."+s.name()+".status == \"ok\"\n}")
		})},
		{"loop over nothing", "step_never_runs", eachStep(func(s step) bool { return give(s.block, "for_each", "toset([])") })},
		{"sleep", "sleep_instead_of_deadline", eachOperation("exec.run", func(op *hclwrite.Block) bool {
			return command(op, `script = "sleep 30; test -e x"`)
		})},
		{"wait, then look", "sleep_instead_of_deadline", once(func(file *hclwrite.Body) bool {
			return appendText(file, "step \"wait\" {\n  action \"core.wait\" {\n    duration = \"1m\"\n  }\n}\n\nstep \"look\" {\n  depends_on = [step.wait]\n  precondition \"machine\" {\n    probe \"core.host\" {}\n  }\n}")
		})},
		{"try again what may be half done", "retry_never_applies", eachStep(func(s step) bool {
			if s.does() != "exec.run" {
				return false
			}
			s.drop("retry")
			s.action().Body().RemoveAttribute("idempotent")
			return add(s.block, "retry {\n  attempts = 3\n}")
		})},
		{"try again for one error that there is not", "retry_never_applies", eachStep(func(s step) bool {
			if s.action() == nil {
				return false
			}
			s.drop("retry")
			return add(s.block, "retry {\n  attempts = 3\n  when     = error.code == \"a\" && false\n}")
		})},
		{"try again once time is over", "retry_never_applies", eachStep(func(s step) bool {
			if s.action() == nil {
				return false
			}
			s.drop("retry")
			return give(s.block, "timeout", `"1m"`) && add(s.block, "retry {\n  attempts  = 3\n  delay     = \"2m\"\n  max_delay = \"5m\"\n}")
		})},
		{"want more people than there are", "approval_nobody_gives", eachStep(func(s step) bool {
			s.drop("approval")
			return add(s.block, "approval {\n  approvers = [\"ana\", \"ana\"]\n  count     = 2\n}")
		})},
		{"hold longer than there is time", "timeout_shorter_than_hold", eachStepAssertion(func(s step, a *hclwrite.Block) bool {
			return give(a, "hold_for", `"10m"`) && give(first(s.file, "runbook"), "timeout", `"5m"`)
		})},
		{"declare a variable too many", "unused_variable", once(func(file *hclwrite.Body) bool {
			return appendText(file, "variable \"too_many\" {\n  default = 1\n}")
		})},
		{"declare a local too many", "unused_local", once(func(file *hclwrite.Body) bool {
			return appendText(file, "locals {\n  too_many = 1\n}")
		})},
		{"declare a check too many", "unused_check", eachFirstStep(func(s step) bool {
			return appendText(s.file, "check \"too_many\" {\n  probe \"core.host\" {\n    min_disk_free_percent = 1\n  }\n}")
		})},
		{"ignore what is not there", "ignore_unused", eachFirstStep(func(s step) bool {
			return appendText(s.file, "# runbook:ignore unused_local nothing is wrong here\nstep \"fine\" {}")
		})},
		{"ignore without a reason", "ignore_malformed", eachFirstStep(func(s step) bool {
			return appendText(s.file, "# runbook:ignore unused_local\nstep \"fine\" {}")
		})},
		{"set it to another value beside", "contradicting_effects", besideEach(func(s step) bool {
			other, known := map[string][2]string{
				"redis.set": {"value", `"another"`}, "file.write": {"content", `"another"`}, "file.copy": {"from", `"another"`}, "file.archive": {"paths", `["another"]`},
			}[s.does()]
			return known && !s.namesUnknown() && give(s.action(), other[0], other[1])
		})},
		{"delete beside what is read", "deletes_what_another_needs", besideEach(func(s step) bool {
			if s.action() == nil || s.action().Body().GetAttribute("effects") == nil {
				return false
			}
			effects := expression(s.action().Body().GetAttribute("effects"))
			return strings.Contains(effects, `"read"`) && give(s.action(), "effects", strings.ReplaceAll(effects, `"read"`, `"delete"`))
		})},
		{"start both at three", "schedules_collide", besideEach(func(s step) bool {
			return s.mutates() && !s.undeclared() && !s.namesUnknown()
		})},
	}
}

var readOnly = regexp.MustCompile(`^\[\]$|mode = "read"`)

// mutates tells whether a step's action changes something, by what is written.
func (s step) mutates() bool {
	if s.action() == nil || strings.HasPrefix(s.does(), "core.") {
		return false
	}
	effects := s.action().Body().GetAttribute("effects")
	return effects == nil || !readOnly.MatchString(expression(effects))
}

// undeclared tells whether nobody says what a step's action touches.
func (s step) undeclared() bool {
	return (s.does() == "exec.run" || s.does() == "http.request") && s.action().Body().GetAttribute("effects") == nil
}

var variableName = regexp.MustCompile(`var\.([a-z_]+)`)

// namesUnknown tells whether a variable that has no default says what the step
// touches: two runbooks need not mean the same by it.
func (s step) namesUnknown() bool {
	for _, m := range variableName.FindAllStringSubmatch(string(s.action().BuildTokens(nil).Bytes()), -1) {
		for _, v := range visit(s.file, "variable") {
			if v.Labels()[0] == m[1] && v.Body().GetAttribute("default") == nil {
				return true
			}
		}
	}
	return false
}
