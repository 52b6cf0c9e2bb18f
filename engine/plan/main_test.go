package plan_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever was started has ended before the function that started it returned.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
