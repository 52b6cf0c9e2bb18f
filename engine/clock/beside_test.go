package clock_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/runbook-engine/runbook/engine/clock"
)

// boom is a function to be found in a stack.
func boom() { panic("boom") }

func expectBoom(t *testing.T, caught *clock.Panic) {
	t.Helper()
	if caught == nil {
		t.Fatal("nothing was raised")
	}
	frame, _ := runtime.CallersFrames(caught.Callers).Next()
	if caught.Value != "boom" || !strings.HasSuffix(frame.Function, "clock_test.boom") {
		t.Errorf("%v from %s", caught.Value, frame.Function)
	}
	if said := caught.String(); !strings.HasPrefix(said, "boom, raised\n\tat ") || !strings.Contains(said, "beside_test.go:") {
		t.Error(said)
	}
}

// A panic is reported at the top of the program: it must get there.
func TestPanicsReachTheCaller(t *testing.T) {
	var ended atomic.Int32
	part := func(i int) {
		if i == 1 {
			boom()
		}
		ended.Add(1)
	}
	virtual := clock.NewVirtual(epoch)
	for name, run := range map[string]func(){
		"together":         func() { clock.Together(clock.Real{}, 3, part) },
		"together in turn": func() { virtual.Run(func() { clock.Together(virtual, 3, part) }) },
		"beside": func() {
			wait := clock.Beside(func() { part(0); part(2); part(1) })
			wait()
		},
		"of its own": func() { part(0); part(2); part(1) },
		"in turn":    func() { virtual.Run(func() { part(0); part(2); part(1) }) },
		"inside of each other": func() {
			clock.Together(clock.Real{}, 2, func(i int) { clock.Beside(func() { part(i); part(2) })() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended.Store(0)
			expectBoom(t, clock.Caught(run))
			if ended.Load() != 2 {
				t.Errorf("%d others have ended", ended.Load())
			}
		})
	}
}

func TestNothingToCatch(t *testing.T) {
	if caught := clock.Caught(func() {}); caught != nil {
		t.Error(caught)
	}
	did := false
	wait := clock.Beside(func() { did = true })
	wait()
	wait()
	if !did {
		t.Error("it did not run")
	}
}
