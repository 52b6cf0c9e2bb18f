package rehearse_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever was started has ended before the function that started it returned; but
// an engine that panicked leaves the tasks that were parked where they stood.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/runbook-engine/runbook/engine/apply.(*task).park"))
}
