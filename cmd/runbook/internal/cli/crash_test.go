package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/clock"
)

func panicBeside() { panic(errors.New("connect with hunter2")) }

func TestReportPanic(t *testing.T) {
	var report bytes.Buffer
	crash := func(value func()) (code int) {
		defer reportPanic(&report, &code)
		value()
		return 0
	}
	if code := crash(func() { panic(errors.New("connect with hunter2")) }); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	text := report.String()
	if strings.Contains(text, "hunter2") {
		t.Errorf("the report tells a secret:\n%s", text)
	}
	for _, want := range []string{"runbook has a bug", "panic: a *errors.errorString", "cli.TestReportPanic", "crash_test.go:"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}

	report.Reset()
	var none []int
	crash(func() { none[len(text)] = 1 })
	if !strings.Contains(report.String(), "panic: runtime error: index out of range") {
		t.Errorf("the runtime's own words are missing:\n%s", report.String())
	}

	// Nothing that runs beside the command goes past the report, and it says
	// where that was.
	report.Reset()
	crash(func() { clock.Together(clock.Real{}, 2, func(i int) { panicBeside() }) })
	if text := report.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "a *errors.errorString") || !strings.Contains(text, "cli.panicBeside") {
		t.Errorf("beside:\n%s", text)
	}

	report.Reset()
	if code := crash(func() {}); code != 0 || report.Len() > 0 {
		t.Errorf("no panic: code %d, report %q", code, report.String())
	}
}
