package docker_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestExec(t *testing.T) {
	l := newLab(t, services)
	name := l.plain(t, create(), "wait")
	run := func(args map[string]any) schema.Outcome {
		args["container"] = name
		return l.Act("exec", args)
	}
	said := done(t, run(map[string]any{"argv": []string{"/standin", "say", "a", "b"}}))
	if diff := cmp.Diff(map[string]any{"ok": true, "exit_code": 0, "stdout": "a b", "stderr": "aside: a b", "truncated": false},
		part(said, "ok", "exit_code", "stdout", "stderr", "truncated")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a b", "aside: a b"}, slices.Sorted(slices.Values(l.Logs()))); diff != "" {
		t.Error(diff)
	}
	version := done(t, run(map[string]any{"argv": []string{"/standin", "once", "4"}, "ok_codes": []int{4}, "env": map[string]string{"VERSION": "other"}}))
	if diff := cmp.Diff(map[string]any{"ok": true, "exit_code": 4, "stdout": "did it once, version other"}, part(version, "ok", "exit_code", "stdout")); diff != "" {
		t.Error(diff)
	}
	typed := done(t, run(map[string]any{"argv": []string{"/standin", "echo"}, "stdin": "from here\n"}))
	if typed["stdout"] != "from here" {
		t.Errorf("it read %v", typed["stdout"])
	}
	failed(t, run(map[string]any{"argv": []string{"/standin", "once", "3"}}), schema.FailedPartial, "exit_code")
	if f := failed(t, run(map[string]any{"argv": []string{"/no/such/program"}}), schema.FailedPartial, "exit_code"); !strings.Contains(f.Message, "exited 12") {
		t.Errorf("it does not say that it could not be started: %s", f.Message)
	}
}

func TestExecIsDestructiveUnlessItSaysWhatItTouches(t *testing.T) {
	l := newLab(t, services)
	args := func(more map[string]any) map[string]any {
		all := map[string]any{"container": "web", "argv": []string{"true"}}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	silent := l.Describe("exec", args(nil))
	if !silent.Destructive || !silent.Undeclared || silent.Settling != schema.Manual {
		t.Errorf("of an exec that says nothing: %+v", silent)
	}
	told := l.Describe("exec", args(map[string]any{"idempotent": true, "effects": []any{map[string]any{"resource": "redis://cache:6379/0"}}}))
	if told.Destructive || told.Undeclared || told.Settling != schema.Idempotent || len(told.Effects) != 2 {
		t.Errorf("of one that says what it touches: %+v", told)
	}
}

// A cancelled program ends in its container too, even one that does not listen.
func TestExecIsEndedWhenCancelled(t *testing.T) {
	l := newLab(t, services)
	name := l.plain(t, create(), "wait")
	for _, env := range []map[string]string{nil, {"STUBBORN": "yes"}} {
		mark := engine.Name()
		works := func() bool {
			processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range processes {
				if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), "/standin\x00wait\x00"+mark+"\x00") {
					return true
				}
			}
			return false
		}
		ctx, cancel := context.WithCancel(t.Context())
		outcome := make(chan schema.Outcome, 1)
		go func() {
			outcome <- l.Act("exec", map[string]any{"container": name, "argv": []string{"/standin", "wait", mark}, "env": env}, sdktest.Context(ctx))
		}()
		until(t, "it works", func() bool { return works() && strings.Contains(strings.Join(l.Logs(), "\n"), "waiting") })
		cancel()
		failed(t, <-outcome, schema.FailedPartial, "cancelled")
		if works() {
			t.Error("it works on")
		}
	}
}
