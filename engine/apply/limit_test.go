package apply_test

import (
	"context"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

const limitedRows = `
step "a" {
  action "fake.set" {
    name  = "a"
    value = "on"
  }
  limit = { rows = 10 }
}
`

// What only the backend can count is blocked unless the action keeps the bound
// itself; then the action gets the bound, and decides.
func TestLimitOnWhatThePreviewDoesNotCount(t *testing.T) {
	tr := newTrial(t, limitedRows)
	tr.counts = -1
	tr.expect(tr.run(), "blocked: a=blocked")
	if len(tr.calls) != 0 {
		t.Errorf("acted: %v", tr.calls)
	}

	tr = newTrial(t, limitedRows)
	tr.counts, tr.enforces = -1, []string{"rows"}
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "limit_exceeded", Message: "rolled back"}}, true
	}
	tr.expect(tr.run(), "failed: a=failed")
	if got := tr.limits["a"]; got["rows"] != 10 {
		t.Errorf("the action got the limits %v", got)
	}
}

// A count stays a count: an action that keeps the bound is still not begun
// where the preview has counted more.
func TestLimitIsBlockedBeforehandWhereItIsCounted(t *testing.T) {
	tr := newTrial(t, limitedRows)
	tr.counts, tr.enforces = 11, []string{"rows"}
	tr.expect(tr.run(), "blocked: a=blocked")
	if len(tr.calls) != 0 {
		t.Errorf("acted: %v", tr.calls)
	}
}
