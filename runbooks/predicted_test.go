package runbooks_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// compared is how a run went, against what its plan had said.
type compared struct {
	trial  trial
	steps  []said
	counts []said
}

// said is a decision, or a count, and what came of it.
type said struct {
	step            string
	predicted, came string
	shown           string // what the table shows where they are not equal
	equal           bool
}

// statuses are how a step may end of which a plan has said this. A deferral says
// nothing that could come true.
var statuses = map[string][]string{
	"run":       {"done", "failed"},
	"satisfied": {"satisfied"},
	"skipped":   {"skipped"},
	"blocked":   {"blocked", "not_run"},
}

func compare(tr trial, p plan, happened []happened) compared {
	ended := map[string]string{}
	did := map[string]map[string]any{}
	for _, e := range happened {
		switch {
		case e.Type == "step_finished":
			ended[e.Step] = e.Status
		case e.Type == "action_finished" && e.Attempt.State == "done":
			did[e.Step] = e.Attempt.Result.Value
		}
	}
	c := compared{trial: tr}
	for _, s := range p.Steps {
		name := instance.ReplaceAllString(strings.TrimPrefix(s.Address, "step."), "[*]")
		status := ended[s.Address]
		if p.Outcome == "blocked" && s.Decision != "blocked" && status == "not_run" {
			status = s.Decision // nothing was done at all
		}
		c.steps = append(c.steps, said{name, s.Decision, status, fmt.Sprintf("%s: %s, ended %s", name, s.Decision, status), slices.Contains(statuses[s.Decision], status)})
		for _, unit := range slices.Sorted(maps.Keys(s.Impact)) {
			actual, ok := counted(did[s.Address], s.Action, unit)
			if !ok {
				continue
			}
			shown := fmt.Sprintf("%s: %d %s, came to %d", name, s.Impact[unit], unit, actual)
			if unit == "bytes" { // not the same on every machine
				shown = name + ": bytes"
			}
			c.counts = append(c.counts, said{name, fmt.Sprint(s.Impact[unit]), fmt.Sprint(actual), shown, s.Impact[unit] == actual})
		}
	}
	return c
}

// counted is how much an action did, in a unit of its preview: the field of that
// name, or how many such a field lists.
func counted(result map[string]any, action, unit string) (int64, bool) {
	if strings.HasPrefix(action, "feast.") && unit == "keys" {
		unit = "rows_written" // a key for each row, in Redis
	}
	switch v := result[unit].(type) {
	case float64:
		return int64(v), true
	case []any:
		return int64(len(v)), true
	}
	return 0, false
}

func equal(all []said) int {
	n := 0
	for _, s := range all {
		if s.equal {
			n++
		}
	}
	return n
}

func (c compared) String() string {
	text := ""
	for _, s := range slices.Concat(c.steps, c.counts) {
		if !s.equal {
			text += s.shown + "\n"
		}
	}
	return fmt.Sprintf("%d of %d decisions and %d of %d counts as predicted\n%s", equal(c.steps), len(c.steps), equal(c.counts), len(c.counts), text)
}

const predictedHead = `<!-- Written by the end-to-end test of the shipped runbooks; do not edit. -->

# Predicted, and what came of it

A plan says of each step whether it would act, and how much that would hit. For every
scenario of the [lab](../examples/lab/README.md) that a shipped runbook is for, this is
what was said, against how the run then went: decisions by how the step ended, counts
(rows, keys, objects, files, bytes, stages, commits) by the action's own result. A step
that was deferred counts as not predicted. Counts of steps that come after others that
act are taken before those have acted: a plan marks them as tentative.

| runbook | scenario | decisions | counts | not as predicted |
| --- | --- | --- | --- | --- |
`

// table is the page that shows it.
func table(all []compared) (text string, share float64) {
	text = predictedHead
	var decisions, counts []said
	for _, c := range all {
		var not []string
		for _, s := range slices.Concat(c.steps, c.counts) {
			if !s.equal && !slices.Contains(not, s.shown) {
				not = append(not, s.shown)
			}
		}
		text += fmt.Sprintf("| %s | %s | %d of %d | %d of %d | %s |\n", c.trial.runbook, strings.ReplaceAll(c.trial.scenario, "+", ", "),
			equal(c.steps), len(c.steps), equal(c.counts), len(c.counts), strings.Join(not, "; "))
		decisions, counts = append(decisions, c.steps...), append(counts, c.counts...)
	}
	both := slices.Concat(decisions, counts)
	share = float64(equal(both)) / float64(len(both))
	return text + fmt.Sprintf("\nTogether %d of %d decisions and %d of %d counts: %.1f %%.\n", equal(decisions), len(decisions), equal(counts), len(counts), 100*share), share
}

// holdPredicted holds what was found against what is promised.
func holdPredicted(t *testing.T, all []compared) {
	t.Helper()
	text, share := table(all)
	t.Log(text)
	if share < 0.95 {
		t.Errorf("%.1f %% came as predicted, at least 95 %% are promised", 100*share)
	}
	if *predicted {
		if err := os.WriteFile("../docs/predicted.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
