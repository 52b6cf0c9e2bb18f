package exec_test

import (
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func harness(t *testing.T) *sdktest.Harness {
	t.Helper()
	return sdktest.New(t, exec.Provider(), nil)
}

// answer is an outcome as plain values, without what differs from run to run.
type answer struct {
	State   schema.State
	Failure string // its code
	Result  any
}

func plain(t *testing.T, o schema.Outcome) answer {
	t.Helper()
	a := answer{State: o.State, Result: sdktest.Go(t, o.Result)}
	if o.Failure != nil {
		a.Failure = o.Failure.Code
	}
	if fields, ok := a.Result.(map[string]any); ok {
		for _, name := range []string{"duration_seconds", "summary"} {
			if fields[name] == nil {
				t.Errorf("the result has no %s", name)
			}
			delete(fields, name)
		}
	}
	return a
}

func result(ok bool, code int, stdout, stderr string) map[string]any {
	return map[string]any{"ok": ok, "exit_code": code, "stdout": stdout, "stderr": stderr, "truncated": false}
}

func TestProbe(t *testing.T) {
	t.Setenv("SECRET_OF_THE_ENGINE", "must not be inherited")
	folder := t.TempDir()
	for name, test := range map[string]struct {
		args map[string]any
		want answer
	}{
		"argv": {
			map[string]any{"argv": []string{"printf", `%s-`, "a b", "$c"}},
			answer{schema.Done, "", result(true, 0, "a b-$c-", "")},
		},
		"script": {
			map[string]any{"script": "echo out\necho err >&2"},
			answer{schema.Done, "", result(true, 0, "out", "err")},
		},
		"a script stops at its first failing command": {
			map[string]any{"script": "false | true\necho not reached"},
			answer{schema.Done, "", result(false, 1, "", "")},
		},
		"ok_codes": {
			map[string]any{"script": "exit 3", "ok_codes": []int{0, 3}},
			answer{schema.Done, "", result(true, 3, "", "")},
		},
		"another interpreter": {
			map[string]any{"script": "echo $0", "interpreter": []string{"sh", "-c"}},
			answer{schema.Done, "", result(true, 0, "sh", "")},
		},
		"environment": {
			map[string]any{"script": `echo "$GIVEN${SECRET_OF_THE_ENGINE-}"; env | cut -d= -f1 | grep -vxE 'PATH|HOME|LANG|GIVEN|PWD|SHLVL|_' || true`, "env": map[string]string{"GIVEN": "given"}},
			answer{schema.Done, "", result(true, 0, "given", "")},
		},
		"dir": {
			map[string]any{"argv": []string{"pwd"}, "dir": folder},
			answer{schema.Done, "", result(true, 0, folder, "")},
		},
		"stdin": {
			map[string]any{"argv": []string{"cat"}, "stdin": "a\nb\n"},
			answer{schema.Done, "", result(true, 0, "a\nb", "")},
		},
		"no stdin is empty": {
			map[string]any{"argv": []string{"wc", "-c"}},
			answer{schema.Done, "", result(true, 0, "0", "")},
		},
		"a signal": {
			map[string]any{"script": "kill -TERM $$"},
			answer{schema.Done, "", result(false, 143, "", "")},
		},
		"no program": {
			map[string]any{"argv": []string{"no-such-program"}},
			answer{schema.FailedClean, "cannot_start", nil},
		},
		"no folder": {
			map[string]any{"argv": []string{"true"}, "dir": filepath.Join(folder, "none")},
			answer{schema.FailedClean, "invalid_argument", nil},
		},
		"neither argv nor script": {
			map[string]any{},
			answer{schema.FailedClean, "invalid_argument", nil},
		},
		"argv and script": {
			map[string]any{"argv": []string{"true"}, "script": "true"},
			answer{schema.FailedClean, "invalid_argument", nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, plain(t, harness(t).Probe("run", test.args))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProbeTimeout(t *testing.T) {
	h := harness(t)
	o := h.Probe("run", map[string]any{"script": "echo before; sleep 60"}, sdktest.Deadline(time.Now().Add(200*time.Millisecond)))
	if o.State != schema.FailedClean || o.Failure == nil || o.Failure.Code != "timeout" {
		t.Errorf("a probe that hangs answered %+v, failure %v", o.State, o.Failure)
	}
}

func TestTooLateToStart(t *testing.T) {
	o := harness(t).Act("run", map[string]any{"script": "true"}, sdktest.Deadline(time.Now().Add(-time.Second)))
	if o.State != schema.FailedClean || o.Failure == nil || o.Failure.Code != "timeout" {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
}

// Of long output the middle is left out, and no word is cut in two: half a
// secret would not be known for one.
func TestLongOutput(t *testing.T) {
	o := harness(t).Probe("run", map[string]any{"script": "echo first; printf 'hunter22 %.0s' {1..200000}; echo; echo last"})
	got := sdktest.Go(t, o.Result).(map[string]any)
	stdout := got["stdout"].(string)
	if got["truncated"] != true || len(stdout) > 1<<20+100 || len(stdout) < 1<<20-100 {
		t.Errorf("truncated = %v, %d bytes kept", got["truncated"], len(stdout))
	}
	words := strings.Fields(stdout)
	others := slices.DeleteFunc(words, func(word string) bool { return word == "hunter22" })
	if diff := cmp.Diff([]string{"first", "…", "751445", "bytes", "left", "out", "…", "last"}, others); diff != "" {
		t.Error(diff)
	}
}

func TestLinesAreLogged(t *testing.T) {
	h := harness(t)
	h.Act("run", map[string]any{"script": "printf 'ö%.0s' {1..70000}; echo; echo why >&2; printf rest"})
	want := []string{strings.Repeat("ö", 70000), "rest", "why"}
	logs := h.Logs()
	slices.Sort(logs)
	slices.Sort(want)
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Errorf("%.300s", diff)
	}
}

func TestAction(t *testing.T) {
	h := harness(t)
	file := filepath.Join(t.TempDir(), "made")
	o := h.Act("run", map[string]any{"script": "echo hello; echo done > " + file})
	if diff := cmp.Diff(answer{schema.Done, "", result(true, 0, "hello", "")}, plain(t, o)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"hello"}, h.Logs()); diff != "" {
		t.Error(diff)
	}

	o = h.Act("run", map[string]any{"script": "echo half; echo why >&2; exit 7"})
	if diff := cmp.Diff(answer{schema.FailedPartial, "exit_code", result(false, 7, "half", "why")}, plain(t, o)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(o.Failure.Message, ": why") {
		t.Errorf("the failure does not say why: %s", o.Failure.Message)
	}

	o = h.Act("run", map[string]any{"argv": []string{"no-such-program"}})
	if diff := cmp.Diff(answer{schema.FailedClean, "cannot_start", nil}, plain(t, o)); diff != "" {
		t.Error(diff)
	}
}

// A cancelled action ends with its children, also those that ignore the
// request, and says that something may have changed.
func TestCancelKillsTheProcessGroup(t *testing.T) {
	h := harness(t)
	pipe := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	pids := make(chan string, 1)
	go func() {
		text, _ := os.ReadFile(pipe) // returns once the script has written
		pids <- string(text)
		cancel()
	}()
	o := h.Act("run", map[string]any{
		"script": "trap '' TERM\nsleep 300 &\necho $! > " + pipe + "\nwait",
	}, sdktest.Context(ctx))
	if diff := cmp.Diff(answer{schema.FailedPartial, "cancelled", result(false, 137, "", "")}, plain(t, o)); diff != "" {
		t.Error(diff)
	}
	child, err := strconv.Atoi(strings.TrimSpace(<-pids))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, child)
}

// gone waits for the end of a process that was killed: the kernel takes its time.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.After(10 * time.Second); alive(pid); {
		select {
		case <-deadline:
			t.Fatalf("the process %d is still there", pid)
		case <-time.Tick(time.Millisecond):
		}
	}
}

// A descendant that leaves the process group is not killed, and is not
// overlooked either.
func TestCancelSeesWhoEscaped(t *testing.T) {
	h := harness(t)
	pipe := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	escaped := make(chan string, 1)
	go func() {
		text, _ := os.ReadFile(pipe)
		escaped <- string(text)
		cancel()
	}()
	o := h.Act("run", map[string]any{
		"script": "setsid sh -c 'echo $$ >" + pipe + "; exec sleep 300' >/dev/null 2>&1 &\nwait",
	}, sdktest.Context(ctx))
	child, err := strconv.Atoi(strings.TrimSpace(<-escaped))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	if o.State != schema.Unknown || !strings.HasSuffix(o.Failure.Message, "a process that it started is still there") {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
}

// alive tells whether a process is there and is not just waiting to be reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestDescribe(t *testing.T) {
	h := harness(t)
	for name, test := range map[string]struct {
		args map[string]any
		want schema.Description
	}{
		"says nothing of what it touches": {
			map[string]any{"argv": []string{"rsync", "-a", "x", "y"}},
			schema.Description{
				Undeclared: true, Destructive: true, Settling: schema.Manual,
				Command: []string{"rsync", "-a", "x", "y"},
			},
		},
		"touches nothing": {
			map[string]any{"argv": []string{"true"}, "effects": []any{}, "idempotent": true},
			schema.Description{Settling: schema.Idempotent, Command: []string{"true"}},
		},
		"writes": {
			map[string]any{
				"script": "cp a b", "effects": []any{map[string]any{"resource": "file:///backups"}},
				"env": map[string]string{"TOKEN": "hunter2"}, "dir": "jobs",
			},
			schema.Description{
				Settling: schema.Manual,
				Effects:  []schema.Effect{{Resource: "file:///backups", Mode: schema.Write}},
				Command:  []string{"env", "-C", "jobs", "TOKEN=$TOKEN", "bash", "-euo", "pipefail", "-c", "cp a b"},
			},
		},
		"reads its input": {
			map[string]any{"argv": []string{"psql", "-X"}, "effects": []any{}, "stdin": "SELECT 1;\n"},
			schema.Description{Settling: schema.Manual, Command: []string{"bash", "-c", `printf %s "$0" | "$@"`, "SELECT 1;\n", "psql", "-X"}},
		},
		"reads an input that is not known yet": {
			map[string]any{"argv": []string{"psql"}, "effects": []any{}, "stdin": cty.UnknownVal(cty.String)},
			schema.Description{Settling: schema.Manual, Command: []string{"bash", "-c", `printf %s "$0" | "$@"`, "$STDIN", "psql"}},
		},
		"reads an input that no command line can hold": {
			map[string]any{"argv": []string{"psql"}, "effects": []any{}, "stdin": strings.Repeat("x", 5000)},
			schema.Description{Settling: schema.Manual, Command: []string{"bash", "-c", `printf %s "$0" | "$@"`, "$STDIN", "psql"}},
		},
		"deletes": {
			map[string]any{"argv": []string{"rm"}, "effects": []any{map[string]any{"resource": "file:///backups", "mode": "delete"}}},
			schema.Description{
				Destructive: true, Settling: schema.Manual,
				Effects: []schema.Effect{{Resource: "file:///backups", Mode: schema.Delete}},
				Command: []string{"rm"},
			},
		},
		"a script that is not known yet": {
			map[string]any{"script": cty.UnknownVal(cty.String)},
			schema.Description{Undeclared: true, Destructive: true, Settling: schema.Manual},
		},
		"a mode that is none": {
			map[string]any{"argv": []string{"rm"}, "effects": []any{map[string]any{"resource": "file:///backups", "mode": "erase"}}},
			schema.Description{
				Settling: schema.Manual, Command: []string{"rm"},
				Failure: &schema.Failure{
					Code: "invalid_argument", Argument: "effects",
					Message: `the mode "erase" of file:///backups is none of read, write and delete`,
				},
			},
		},
		"a resource that is no URL": {
			map[string]any{"argv": []string{"rm"}, "effects": []any{map[string]any{"resource": "/backups"}}},
			schema.Description{
				Settling: schema.Manual, Command: []string{"rm"},
				Failure: &schema.Failure{
					Code: "invalid_argument", Argument: "effects",
					Message: `the resource "/backups" is not a URL such as file:///backups`,
				},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, h.Describe("run", test.args)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The command that is shown does what the action does.
func TestShownCommandWorks(t *testing.T) {
	h := harness(t)
	args := map[string]any{
		"script": `pwd; printf '%s|' "$GREETING"; cat`, "stdin": "it's \"$odd\"\nno newline", "dir": t.TempDir(),
		"env": map[string]string{"GREETING": "hello  there"}, "effects": []any{},
	}
	o := h.Act("run", args)
	if o.State != schema.Done {
		t.Fatal(o.Failure)
	}
	argv := h.Describe("run", args).Command
	for i, word := range argv {
		argv[i] = strings.Replace(word, "=$GREETING", "=hello  there", 1) // as the shell would
	}
	shown, err := osexec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.Result.GetAttr("stdout").AsString(), string(shown)); diff != "" {
		t.Errorf("-act +shown\n%s", diff)
	}
}

func TestPreview(t *testing.T) {
	h := harness(t)
	effects := []any{map[string]any{"resource": "file:///backups"}}
	args := map[string]any{
		"argv": []string{"rsync", "-a", "x", "y"}, "effects": effects,
		"dry_run": []string{"printf", `deleting a\ndeleting b\n`},
	}
	want := schema.Description{
		Settling: schema.Manual, Command: []string{"rsync", "-a", "x", "y"},
		Effects: []schema.Effect{{Resource: "file:///backups", Mode: schema.Write}},
		Summary: "the dry run printed 2 lines", Sample: []string{"deleting a", "deleting b"},
	}
	if diff := cmp.Diff(want, h.Preview("run", args)); diff != "" {
		t.Error(diff)
	}
	args["dry_run"] = []string{"sh", "-c", "echo no such module >&2; exit 5"}
	if d := h.Preview("run", args); d.Failure == nil || d.Failure.Code != "dry_run" || !strings.Contains(d.Failure.Message, "no such module") {
		t.Errorf("a dry run that fails previewed as %+v", d)
	}
}
