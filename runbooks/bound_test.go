package runbooks_test

import (
	"slices"
	"testing"
	"time"

	language "github.com/runbook-engine/runbook/engine/runbook"
)

// slack is what everything but looking may take: starting the providers, and
// reading the files.
const slack = 5 * time.Second

// looks is how long the looks of a plan may take: the timeouts of those that it
// tells of, one after another. A check that is looked at by several steps is
// counted for each; those of the diagnosis once.
func looks(t *testing.T, file string, p plan) time.Duration {
	t.Helper()
	rb, diags := language.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var total time.Duration
	for _, seen := range p.Diagnosis {
		total += bound(rb, &rb.Checks[seen.Name].Assertion)
	}
	for i, step := range p.Steps {
		written := rb.Steps[i]
		if written.Address() != step.Address {
			t.Fatalf("step %d of the plan is %s, that of the runbook %s", i, step.Address, written.Address())
		}
		for j, a := range slices.Concat(written.Preconditions, written.Goals) {
			if slices.Concat(step.Preconditions, step.Goals)[j].Message != "" { // it was looked at
				total += bound(rb, a)
			}
		}
	}
	return total
}

// bound is the longest that one look may take; of several checks that are looked
// at side by side, the longest one's.
func bound(rb *language.Runbook, a *language.Assertion) time.Duration {
	if a.Timeout != nil {
		return *a.Timeout
	}
	longest := time.Duration(0)
	for _, use := range a.Checks {
		longest = max(longest, bound(rb, &rb.Checks[use.Name].Assertion))
	}
	if longest == 0 {
		return language.DefaultTimeout
	}
	return longest
}
