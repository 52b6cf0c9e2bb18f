// Package crash kills the real engine, again and again, and proves by a witness
// outside it that nothing was lost and nothing was done twice.
package crash

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
)

var (
	kills = flag.Int("kills", 0, "how many kills; 0: as many as fit the time")
	fit   = flag.Duration("for", 2*time.Minute, "how long to go on killing")
	seed  = flag.Uint64("seed", 0, "of the instants; 0: another one each time")
)

// TestKilledAtAnyInstant runs a runbook, kills the engine at a boundary of its
// journal or at any instant, resumes, kills again, and so on until the run has
// succeeded, or was taken back; then it counts. Whoever answers for steps that only
// a person can settle looks at what the witness has seen.
func TestKilledAtAnyInstant(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	c := &campaign{T: t, random: rand.New(rand.NewPCG(*seed, 0)), found: map[string]int{}}
	c.build()
	all := plays()
	for _, c.play = range all {
		c.measure()
	}
	for begun := time.Now(); c.killed < *kills || *kills == 0 && (time.Since(begun) < *fit || !c.proves() && time.Since(begun) < 3**fit); {
		c.play = all[c.lives%len(all)]
		c.life()
		if t.Failed() {
			return
		}
		if c.lives%1000 == 0 {
			t.Logf("%d kills in %d lives so far, after %s", c.killed, c.lives, time.Since(begun).Round(time.Second))
		}
	}
	t.Logf("%d kills in %d lives, %d of them between an INTENT and its outcome, %d as something was taken back; %d resumes; answered by the witness: %d",
		c.killed, c.lives, c.found["open"], c.found["back"], c.resumed, c.asked)
	t.Logf("attempts settled: by goal %d, by the provider %d, by a person %d, done again %d",
		c.found["goal"], c.found["settle"], c.found["person"], c.found["again"])
	if !c.proves() {
		t.Errorf("%d kills, %d of them in an action, %d in a rollback: too few to prove anything", c.killed, c.found["open"], c.found["back"])
	}
}

// proves tells whether the kills so far are enough, and came where they count.
func (c *campaign) proves() bool {
	return c.killed >= 10 && c.found["open"] > 0 && c.found["back"] > 0
}

// campaign is one call of the test.
type campaign struct {
	*testing.T
	random  *rand.Rand
	program string
	pinned  []byte // runbook.lock.hcl
	folder  string // of the provider

	*play
	lasts time.Duration // that an undisturbed run takes
	alive []*os.File    // of engines that were started to be killed: open while anything of them lives

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
	c.run(c.command(dir, "apply", c.file, "--auto-approve"), dir, false)
	if c.hand {
		c.goOn(dir, false)
	}
	if !c.ended(dir) {
		c.Fatalf("%s: undisturbed, it does not end %s", dir, c.outcome)
	}
	c.lasts = time.Since(begun)
	c.boundaries = groups(dir)
	c.settled(dir)
	c.Logf("%s undisturbed: %d groups in %s", c.file, c.boundaries, c.lasts)
}

// life is one run from its beginning to its end, however often it is killed.
func (c *campaign) life() {
	c.lives++
	dir := c.prepare()
	cut := c.kill(c.command(dir, "apply", c.file, "--auto-approve"), dir)
	for try := 0; ; try++ {
		if !cut && c.ended(dir) {
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

// goOn resumes what is on record, or applies where nothing is, or has a run taken
// back that has succeeded. It tells whether the engine was killed.
func (c *campaign) goOn(dir string, disturbed bool) bool {
	history := c.record(dir)
	if len(history) == 0 {
		for _, id := range runs(dir) { // killed before the run was on record
			if out, err := c.command(dir, "locks", "release", id).CombinedOutput(); err != nil {
				c.Fatalf("release %s: %v\n%s", id, err, out)
			}
			_ = os.RemoveAll(filepath.Join(dir, ".runbook", "runs", id))
		}
		return c.run(c.command(dir, "apply", c.file, "--auto-approve"), dir, disturbed)
	}
	args := []string{"resume", "last"}
	if c.hand && history[len(history)-1].Outcome == "succeeded" {
		args = []string{"rollback", "last", "--auto-approve"}
	}
	// Often a person looks before the engine has said that nobody knows. They have to
	// where there is an always step: once it has run, a resume takes nothing back.
	asked := manual(history)
	if !c.always && c.random.IntN(2) == 0 {
		known := unknown(history)
		maps.DeleteFunc(asked, func(step string, _ *event.Event) bool { return !known[step] })
	}
	if len(asked) > 0 {
		c.alone()
	}
	for step, attempt := range asked {
		d, answer := c.deeds[doer(attempt)], "retry"
		switch n := c.count(dir, d.name); {
		case n > 0 && d.fails:
			answer = "fail"
		case n > 0:
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
	c.start(cmd)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	if c.random.IntN(2) == 0 {
		for boundary := groups(dir) + c.random.IntN(c.boundaries) + 1; groups(dir) < boundary; {
			select {
			case <-done:
				return false
			default: // looked at without a pause: nothing else is to happen after the boundary
			}
		}
	} else {
		select {
		case <-done:
			return false
		case <-time.After(time.Duration(c.random.Int64N(int64(c.lasts)))):
		}
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	var ended *exec.ExitError
	err := <-done
	if !errors.As(err, &ended) || ended.ExitCode() != -1 {
		return false // it was just done
	}
	c.killed++
	for _, e := range openings(c.record(dir)) {
		c.found["open"]++
		if e.Attempt.TakesBack {
			c.found["back"]++
		}
	}
	return true
}
