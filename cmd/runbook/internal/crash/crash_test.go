// Package crash kills the real engine, again and again, and proves by a witness
// outside it that nothing was lost and nothing was done twice.
package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

var (
	kills = flag.Int("kills", 0, "how many kills; 0: as many as fit the time")
	fit   = flag.Duration("for", 2*time.Minute, "how long to go on killing")
	seed  = flag.Uint64("seed", 0, "of the instants; 0: another one each time")
)

// source has a step of each class, with and without a goal, instances and a
// called runbook.
var source = map[string]string{
	"crash.hcl": `
runbook "crash" {
  title = "Killed at any instant"
}
variable "root" {}
provider "witness" {
  root = var.root
}
step "idempotent" {
  action "witness.idempotent" { name = "a" }
}
step "keyed" {
  action "witness.keyed" { name = "b" }
}
step "observed" {
  for_each = ["c1", "c2"]
  action "witness.observed" { name = each.key }
}
step "called" {
  call {
    runbook   = "./inner.hcl"
    variables = { root = var.root }
  }
}
step "manual" {
  depends_on = [step.called]
  action "witness.manual" { name = "f" }
}
step "goal" {
  depends_on = [step.called]
  action "witness.manual" { name = "g" }
  goal "there" {
    probe "witness.seen" { name = "g" }
  }
}
`,
	"inner.hcl": `
runbook "inner" {}
variable "root" {}
provider "witness" {
  root = var.root
}
step "keyed" {
  action "witness.keyed" { name = "d" }
}
step "manual" {
  action "witness.manual" { name = "e" }
}
`,
}

// effects is what each step leaves, and what class its action is of.
var effects = map[string]struct {
	name  string
	again bool // it may be done more than once
}{
	"step.idempotent":         {name: "a", again: true},
	"step.keyed":              {name: "b"},
	`step.observed["c1"]`:     {name: "c1"},
	`step.observed["c2"]`:     {name: "c2"},
	"step.called.step.keyed":  {name: "d"},
	"step.called.step.manual": {name: "e"},
	"step.manual":             {name: "f"},
	"step.goal":               {name: "g"},
}

// TestKilledAtAnyInstant runs the runbook, kills the engine at a boundary of its
// journal or at any instant, resumes, kills again, and so on until the run has
// succeeded; then it counts. Whoever answers for steps that only a person can
// settle looks at what the witness has seen.
func TestKilledAtAnyInstant(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	c := &campaign{T: t, random: rand.New(rand.NewPCG(*seed, 0)), found: map[string]int{}}
	c.build()
	c.measure()
	for begun := time.Now(); c.killed < *kills || *kills == 0 && time.Since(begun) < *fit; {
		c.life()
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills in %d lives, %d of them between an INTENT and its outcome; %d resumes; answered by the witness: %d",
		c.killed, c.lives, c.found["open"], c.resumed, c.asked)
	t.Logf("attempts settled: by goal %d, by the provider %d, by a person %d, done again %d",
		c.found["goal"], c.found["settle"], c.found["person"], c.found["again"])
	if c.killed < 10 || c.found["open"] == 0 {
		t.Errorf("%d kills, %d of them in an action: too few to prove anything", c.killed, c.found["open"])
	}
}

// campaign is one call of the test.
type campaign struct {
	*testing.T
	random  *rand.Rand
	program string
	pinned  []byte // runbook.lock.hcl
	folder  string // of the provider

	boundaries int           // groups that an undisturbed run writes
	lasts      time.Duration // that it takes

	lives, killed, resumed, asked int
	found                         map[string]int // how attempts were settled
}

// build makes the program as its users have it, and the provider, and pins that.
func (c *campaign) build() {
	c.Helper()
	c.folder = c.TempDir()
	c.program = filepath.Join(c.folder, "runbook")
	for output, source := range map[string]string{c.program: "../..", filepath.Join(c.folder, "runbook-provider-witness"): "./witness"} {
		if out, err := exec.Command("go", "build", "-o", output, source).CombinedOutput(); err != nil {
			c.Fatalf("build %s: %v\n%s", source, err, out)
		}
	}
	dir := c.TempDir()
	cmd := c.command(dir, "providers", "lock", "witness")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	var err error
	if c.pinned, err = os.ReadFile(filepath.Join(dir, "runbook.lock.hcl")); err != nil {
		c.Fatal(err)
	}
}

func (c *campaign) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(c.program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "RUNBOOK_PROVIDER_PATH=" + c.folder, "RUNBOOK_VAR_root=" + filepath.Join(dir, "root")}
	return cmd
}

// prepare is a folder in which nothing has happened yet.
func (c *campaign) prepare() string {
	dir, err := os.MkdirTemp(c.folder, "life-")
	if err != nil {
		c.Fatal(err)
	}
	files := map[string][]byte{"runbook.lock.hcl": c.pinned, ".git/HEAD": nil}
	for name, text := range source {
		files[name] = []byte(text)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600)); err != nil {
			c.Fatal(err)
		}
	}
	return dir
}

// measure runs undisturbed, to know where to kill.
func (c *campaign) measure() {
	dir := c.prepare()
	begun := time.Now()
	if out, err := c.command(dir, "apply", "crash.hcl", "--auto-approve").CombinedOutput(); err != nil {
		c.Fatalf("undisturbed: %v\n%s", err, out)
	}
	c.lasts = time.Since(begun)
	c.boundaries = groups(dir)
	c.settled(dir)
	c.Logf("undisturbed: %d groups in %s", c.boundaries, c.lasts)
}

// life is one run from its beginning to its success, however often it is killed.
func (c *campaign) life() {
	c.lives++
	dir := c.prepare()
	cut := c.kill(c.command(dir, "apply", "crash.hcl", "--auto-approve"), dir)
	for try := 0; ; try++ {
		if !cut && c.succeeded(dir) {
			break
		}
		if try == 50 {
			out, _ := c.command(dir, "runs", "show", "last").CombinedOutput()
			c.Fatalf("%s: no end after %d resumes\n%s", dir, try, out)
		}
		cut = c.goOn(dir, try < 3)
	}
	c.settled(dir)
	if !c.Failed() {
		_ = os.RemoveAll(dir)
	}
}

// goOn resumes what is on record, or applies where nothing is. It tells whether
// the engine was killed.
func (c *campaign) goOn(dir string, disturbed bool) bool {
	history := c.record(dir)
	if len(history) == 0 {
		for _, id := range runs(dir) { // killed before the run was on record
			if out, err := c.command(dir, "locks", "release", id).CombinedOutput(); err != nil {
				c.Fatalf("release %s: %v\n%s", id, err, out)
			}
			_ = os.RemoveAll(filepath.Join(dir, ".runbook", "runs", id))
		}
		return c.run(c.command(dir, "apply", "crash.hcl", "--auto-approve"), dir, disturbed)
	}
	args := []string{"resume", "last"}
	for step := range unknown(history) { // the engine has made sure that nobody is at it any more
		answer := "retry"
		if c.count(dir, effects[step].name) > 0 {
			answer = "done"
		}
		c.asked++
		args = append(args, "--resolve", step+"="+answer)
	}
	c.resumed++
	return c.run(c.command(dir, args...), dir, disturbed)
}

// run runs to the end, or kills.
func (c *campaign) run(cmd *exec.Cmd, dir string, disturbed bool) (killed bool) {
	if disturbed && c.random.IntN(2) == 0 {
		return c.kill(cmd, dir)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !(errors.As(err, &ended) && ended.ExitCode() == 1) {
		c.Fatalf("%s: %v\n%s", cmd, err, &out)
	}
	if bytes.Contains(out.Bytes(), []byte("panic")) {
		c.Fatalf("%s:\n%s", cmd, &out)
	}
	return false
}

// kill starts the engine and kills it: once the journal has so many groups, or
// after some time. It tells whether it lived to be killed.
func (c *campaign) kill(cmd *exec.Cmd, dir string) bool {
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var at func() bool
	begun := time.Now()
	if c.random.IntN(2) == 0 {
		boundary := groups(dir) + c.random.IntN(c.boundaries) + 1
		at = func() bool { return groups(dir) >= boundary }
	} else {
		after := time.Duration(c.random.Int64N(int64(c.lasts)))
		at = func() bool { return time.Since(begun) >= after }
	}
	for {
		select {
		case <-done:
			return false
		default:
		}
		if at() {
			break
		}
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	var ended *exec.ExitError
	err := <-done
	if !errors.As(err, &ended) || ended.ExitCode() != -1 {
		return false // it was just done
	}
	c.killed++
	if slices.Contains(slices.Collect(values(openings(c.record(dir)))), true) {
		c.found["open"]++
	}
	return true
}

// settled proves what came of a life.
func (c *campaign) settled(dir string) {
	history := c.record(dir)
	ends := map[string]string{}
	attempts := map[string]int{}
	for i := range history {
		switch e := &history[i]; e.Type {
		case event.StepFinished:
			ends[e.Step] = e.Status
		case event.ActionStarted:
			attempts[e.Step]++
		case event.ActionFinished:
			c.found[e.Attempt.Settled]++
		}
	}
	for step, left := range effects {
		n := c.count(dir, left.name)
		switch {
		case ends[step] != "done":
			c.Errorf("%s: %s ended %q", dir, step, ends[step])
		case n == 0:
			c.Errorf("%s: %s is done on record, and was not", dir, step)
		case n > 1 && !left.again:
			c.Errorf("%s: %s was done %d times", dir, step, n)
		}
		if attempts[step] > 1 {
			c.found["again"] += attempts[step] - 1
		}
	}
	if out, err := c.command(dir, "runs", "verify", "last").CombinedOutput(); err != nil {
		c.Errorf("%s: the record does not check out: %v\n%s", dir, err, out)
	}
	if out, err := c.command(dir, "locks").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Nothing is locked")) {
		c.Errorf("%s: locks are left: %v\n%s", dir, err, out)
	}
}

// count is how often something was done: lines in a file of its name, and files
// whose name begins with it.
func (c *campaign) count(dir, name string) int {
	found, err := filepath.Glob(filepath.Join(dir, "root", name+".*"))
	if err != nil {
		c.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "root", name))
	if err == nil && len(text) == 0 {
		return 1
	}
	return len(found) + bytes.Count(text, []byte("\n"))
}

// succeeded tells whether the run on record has.
func (c *campaign) succeeded(dir string) bool {
	history := c.record(dir)
	return len(history) > 0 && history[len(history)-1].Outcome == "succeeded"
}

// record is the run's journal without its seals, as far as it is whole.
func (c *campaign) record(dir string) []event.Event {
	var history []event.Event
	for _, id := range runs(dir) {
		text, err := os.ReadFile(filepath.Join(dir, ".runbook", "runs", id, "journal.jsonl"))
		if err != nil {
			continue
		}
		var group []event.Event
		for line := range bytes.Lines(text) {
			if bytes.HasPrefix(line, []byte(`{"seal":`)) {
				history, group = append(history, group...), nil
				continue
			}
			var e event.Event
			if json.Unmarshal(line, &e) == nil {
				group = append(group, e)
			}
		}
	}
	return history
}

// unknown are the steps of which the engine said last that nobody knows what
// they did.
func unknown(history []event.Event) map[string]bool {
	steps := map[string]bool{}
	for i := range history {
		if e := &history[i]; e.Step != "" {
			delete(steps, e.Step)
			if e.Type == event.StepFinished && e.Status == "unknown" {
				steps[e.Step] = true
			}
		}
	}
	return steps
}

// openings tells of which steps the last attempt has no known end.
func openings(history []event.Event) map[string]bool {
	open := map[string]bool{}
	for i := range history {
		switch e := &history[i]; e.Type {
		case event.ActionStarted:
			open[e.Step] = true
		case event.ActionFinished:
			open[e.Step] = e.Attempt.State == schema.Unknown
		}
	}
	return open
}

func values(m map[string]bool) func(yield func(bool) bool) {
	return func(yield func(bool) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func runs(dir string) []string {
	entries, err := os.ReadDir(filepath.Join(dir, ".runbook", "runs"))
	if err != nil {
		return nil
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.Name())
	}
	return ids
}

// groups is how many groups the journal holds.
func groups(dir string) int {
	n := 0
	for _, id := range runs(dir) {
		text, err := os.ReadFile(filepath.Join(dir, ".runbook", "runs", id, "journal.jsonl"))
		if err == nil {
			n += bytes.Count(text, []byte(`{"seal":`))
		}
	}
	return n
}
