// Package race lets many real engine processes apply runbooks that conflict, all
// at once, and has a witness outside them tell whether two were ever inside.
package race

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

var (
	rounds = flag.Int("rounds", 20, "how many rounds")
	seed   = flag.Uint64("seed", 0, "of what races; 0: another one each time")
)

// patience is how long a round may take before something counts as stuck. It is
// more than any wait of the engine's own, on however busy a machine.
const patience = 3 * time.Minute

// sizes are how many engines race, round by round.
var sizes = []int{2, 32, 3, 12, 4, 24, 6, 16, 8, 5}

// TestNeverTwoInside races engines: some for the same runbook, some for others that
// touch the same resource, the whole of it or a part, some that learn only in
// mid-run what they touch, and some that each hold what the other learns to need.
// One is stopped while it is inside, and loses its locks every other time. What is
// inside is a folder that only one can make.
func TestNeverTwoInside(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	begun := time.Now()
	f := &field{T: t, random: rand.New(rand.NewPCG(*seed, 2)), ends: map[int]int{}}
	f.program = filepath.Join(t.TempDir(), "runbook")
	if out, err := exec.Command("go", "build", "-o", f.program, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for n := 0; n < *rounds && !t.Failed(); n++ {
		f.round(sizes[n%len(sizes)], n%4 == 0)
	}
	t.Logf("%d rounds in %s: %d engines, %d times somebody was inside; they ended by exit code %v",
		*rounds, time.Since(begun).Round(time.Second), f.engines, f.entries, f.ends)
	t.Logf("stopped while inside: %d, of which lost their locks: %d, and then started nothing", f.stopped, f.lost)
	if f.ends[0] == 0 || f.ends[5] == 0 || f.stopped == 0 || *rounds >= 4 && f.lost == 0 {
		t.Error("not all of it came up: that proves little")
	}
}

// field is one call of the test.
type field struct {
	*testing.T
	random  *rand.Rand
	program string

	engines, entries, stopped, lost int
	ends                            map[int]int // by exit code
}

// The runbooks that race.
var books = map[string]string{
	"same":    steps(`["redis://h:6379/0"]`, ""),
	"whole":   steps(`["redis://h:6379"]`, ""),
	"part":    steps(`["redis://h:6379/0/features"]`, ""),
	"several": steps(`["postgres://h:5432/a", "redis://h:6379/0"]`, ""),
	"late":    steps(`[trimspace(step.where.result.stdout)]`, "redis://h:6379/0"),
	"across":  steps(`["redis://h:6379/0", trimspace(step.where.result.stdout)]`, "postgres://h:5432/a"),
}

// steps are three steps that go inside, one after another. Where learnt is not
// empty, what they touch is known only once an earlier step has acted.
func steps(resources, learnt string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "runbook \"NAME\" {}\n")
	if learnt != "" {
		fmt.Fprintf(&b, "step \"first\" {\n  action \"exec.run\" {\n    argv    = [\"true\"]\n    effects = []\n  }\n}\n")
		fmt.Fprintf(&b, "step \"where\" {\n  probe \"exec.run\" {\n    argv = [\"echo\", %q]\n  }\n}\n", learnt)
	}
	for _, name := range []string{"one", "two", "three"} {
		fmt.Fprintf(&b, `step %q {
  action "exec.run" {
    script = <<-EOT
      mkdir inside || { echo '${run.id}' >> violated; exit 1; }
      echo 'in ${run.id}' | tee -a witness > told
      sleep 0.03
      echo 'out ${run.id}' | tee -a witness > told
      rmdir inside
    EOT
    effects = [for r in %s : { resource = r, mode = "write" }]
  }
}
`, name, resources)
	}
	return b.String()
}

// engine is one process that takes part.
type engine struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
	wait string // for locks
}

// round lets so many engines race, and stops one of them while it is inside.
func (f *field) round(size int, loses bool) {
	dir := f.TempDir()
	for name, text := range books {
		if err := os.WriteFile(filepath.Join(dir, name+".hcl"), []byte(strings.Replace(text, "NAME", name, 1)), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	told := f.listen(dir)
	names := []string{"same", "same", "whole", "part", "several", "late", "across"}
	engines := make([]*engine, size)
	for i := range engines {
		name := names[f.random.IntN(len(names))]
		if i < 2 {
			name = "same"
		}
		wait := "0s"
		if f.random.IntN(3) == 0 {
			wait = []string{"500ms", "20s"}[f.random.IntN(2)]
		}
		engines[i] = f.start(dir, name, wait)
	}
	lost, before := f.stopOneInside(dir, engines, told, loses)
	f.await(engines)
	if !f.Failed() {
		f.judge(dir, engines, lost, before)
	}
}

// listen makes the pipe in which those who are inside say so, and hands on what they
// say.
func (f *field) listen(dir string) <-chan string {
	path := filepath.Join(dir, "told")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		f.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // nobody who writes waits for a reader
	if err != nil {
		f.Fatal(err)
	}
	told, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(told)
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			select {
			case told <- lines.Text():
			case <-ended:
				return
			}
		}
	}()
	f.Cleanup(func() {
		close(ended)
		_ = pipe.Close()
		for range told {
		}
	})
	return told
}

func (f *field) start(dir, name, wait string) *engine {
	f.engines++
	e := &engine{cmd: exec.Command(f.program, "apply", name+".hcl", "--auto-approve", "--lock-timeout", wait), done: make(chan struct{}), wait: wait}
	e.cmd.Dir = dir
	e.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	e.cmd.Stdout, e.cmd.Stderr = &e.out, &e.out
	if err := e.cmd.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.cmd.Process.Kill() }) // most have ended by then
	go func() {
		_ = e.cmd.Wait() // its exit code is looked at
		close(e.done)
	}()
	return e
}

// stopOneInside stops an engine at an instant at which its action is inside, and
// lets it go on later. Where it loses, others have been let in meanwhile. It
// returns the run that lost its locks, or nothing, and how often it was inside
// before.
func (f *field) stopOneInside(dir string, engines []*engine, told <-chan string, loses bool) (lost string, before int) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.await(engines)
	}()
	for {
		var run string
		select {
		case <-ended:
			return "", 0 // none was caught
		case line := <-told:
			run, _ = strings.CutPrefix(line, "in ")
		}
		e := attends(dir, run, engines)
		if e == nil || e.cmd.Process.Signal(syscall.SIGSTOP) != nil {
			continue
		}
		if inside(witness(dir)) == run { // so its engine has not heard yet that it is done
			f.stopped++
			switch {
			case loses:
				lost, before = run, entries(dir)[run]
				f.release(dir, run, told)
			case f.random.IntN(2) == 0:
				// As long as it takes all who do not wait to be refused.
				f.await(slices.DeleteFunc(slices.Clone(engines), func(other *engine) bool { return other == e || other.wait != "0s" }))
			}
			_ = e.cmd.Process.Signal(syscall.SIGCONT)
			return lost, before
		}
		_ = e.cmd.Process.Signal(syscall.SIGCONT)
	}
}

// await waits until engines have ended, or are stuck.
func (f *field) await(engines []*engine) {
	stuck := time.After(patience)
	for _, e := range engines {
		select {
		case <-e.done:
		case <-stuck:
			f.Errorf("stuck: %s\n%s", e.cmd, &e.out)
			return
		}
	}
}

// release takes a stopped engine's locks away, as somebody might who thinks that it
// is dead, and lets another one in.
func (f *field) release(dir, run string, told <-chan string) {
	for line := range told { // what it has begun is not the engine's any more
		if line == "out "+run {
			break
		}
	}
	st, err := store.Open(filepath.Join(dir, store.Folder))
	if err == nil {
		err = st.Release(f.Context(), run)
	}
	if err != nil {
		f.Fatal(err)
	}
	f.lost++
	other := f.start(dir, "whole", "1m")
	f.await([]*engine{other})
	f.judge(dir, []*engine{other}, "", 0)
	f.engines--
}

// judge proves what came of a round.
func (f *field) judge(dir string, engines []*engine, lost string, before int) {
	if violated, err := os.ReadFile(filepath.Join(dir, "violated")); err == nil {
		f.Errorf("%s: two were inside: %s", dir, violated)
	}
	entries := entries(dir)
	for _, e := range engines {
		code := e.cmd.ProcessState.ExitCode()
		f.ends[code]++
		run := runOf(e.out.String())
		n := entries[run]
		f.entries += n
		good := false
		switch {
		case lost != "" && run == lost:
			good = code == 1 && n == before
		case code == 0:
			good = n == 3
		case code == 1: // what it learned to need was not to be had in time
			good = run != "" && n == 0
		case code == 5:
			good = run == "" && n == 0
		}
		if !good {
			f.Errorf("%s: exit code %d, run %q was inside %d times (lost its locks: %q)\n%s", dir, code, run, n, lost, &e.out)
		}
	}
}

// entries tells how often each run was inside.
func entries(dir string) map[string]int {
	n := map[string]int{}
	for _, line := range witness(dir) {
		if run, ok := strings.CutPrefix(line, "in "); ok {
			n[run]++
		}
	}
	return n
}

// attends finds the engine of a run.
func attends(dir, run string, engines []*engine) *engine {
	text, err := os.ReadFile(filepath.Join(dir, store.Folder, "runs", run, "journal.jsonl"))
	if err != nil {
		return nil
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var e event.Event
	if json.Unmarshal(line, &e) != nil || e.Start == nil {
		return nil
	}
	for _, engine := range engines {
		if engine.cmd.Process.Pid == e.Start.PID {
			return engine
		}
	}
	return nil
}

// witness is what was seen inside, oldest first.
func witness(dir string) []string {
	text, err := os.ReadFile(filepath.Join(dir, "witness"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// inside is the run that is inside; empty: none.
func inside(lines []string) string {
	run, _ := strings.CutPrefix(lines[len(lines)-1], "in ")
	if run == lines[len(lines)-1] {
		return ""
	}
	return run
}

// runOf reads which run an engine says that it began.
func runOf(out string) string {
	_, rest, ok := strings.Cut(out, "\nRun ")
	if !ok {
		return ""
	}
	run, _, _ := strings.Cut(rest, " ")
	return run
}
