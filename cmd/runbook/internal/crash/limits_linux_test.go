package crash

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runbook-engine/runbook/engine/event"
)

// A disk that is full from any page on stops the run, and loses nothing.
func TestFullDisk(t *testing.T) {
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "disk", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("a disk of our own cannot be had here: %v\n%s", err, out)
	}
	c := limited(t)
	for pages := 2; pages < 14; pages++ {
		dir := c.prepare()
		cmd := c.command(dir, "apply", "crash.hcl", "--auto-approve")
		// What was on the disk is put where it would have been, once there is room.
		script := `mkdir .runbook && mount -t tmpfs -o size="$0",mode=700 disk .runbook && { "$@"; code=$?; tar -C .runbook -cf kept.tar . && exit $code; }`
		cmd.Args = append([]string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, strconv.Itoa(pages * 4096), cmd.Path}, cmd.Args[1:]...)
		c.wrap(cmd)
		out, err := cmd.CombinedOutput()
		if copied, err := exec.Command("tar", "-C", filepath.Join(dir, ".runbook"), "-xf", filepath.Join(dir, "kept.tar")).CombinedOutput(); err != nil {
			c.Fatalf("%v\n%s\n%s", err, copied, out)
		}
		c.afterLimit(dir, fmt.Sprintf("%d pages", pages), out, err)
	}
	c.reportLimits()
}

// A process that may open no more files stops the run too, wherever it is when
// it comes to that.
func TestNoDescriptorsLeft(t *testing.T) {
	c := limited(t)
	for files := 8; files < 24; files += 3 {
		dir := c.prepare()
		limit := fmt.Sprintf("--nofile=%d:%d", files, files)
		cmd := c.command(dir, "apply", "crash.hcl", "--auto-approve")
		cmd.Args = append([]string{"prlimit", limit, cmd.Path}, cmd.Args[1:]...)
		c.wrap(cmd)
		out, err := cmd.CombinedOutput()
		c.afterLimit(dir, limit, out, err)
	}
	c.measure()
	for range 12 {
		dir := c.prepare()
		boundary := 1 + c.random.IntN(c.boundaries-1)
		var out bytes.Buffer
		cmd := c.command(dir, "apply", "crash.hcl", "--auto-approve")
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for groups(dir) < boundary && unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, nil) == nil {
		}
		_ = unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{}, nil) // or it has just ended
		err := cmd.Wait()
		c.afterLimit(dir, fmt.Sprintf("no descriptors from group %d on", boundary), out.Bytes(), err)
	}
	c.reportLimits()
}

func limited(t *testing.T) *campaign {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	c := &campaign{T: t, random: rand.New(rand.NewPCG(*seed, 1)), found: map[string]int{}, play: plays()[0]}
	c.build()
	return c
}

// wrap has the program that the first argument names started instead.
func (c *campaign) wrap(cmd *exec.Cmd) {
	path, err := exec.LookPath(cmd.Args[0])
	if err != nil {
		c.Fatal(err)
	}
	cmd.Path = path
}

// afterLimit goes on without the limit that an apply ran under, and counts.
func (c *campaign) afterLimit(dir, limit string, out []byte, err error) {
	c.lives++
	var ended *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &ended) && (ended.ExitCode() == 1 || ended.ExitCode() == 3) && !bytes.Contains(out, []byte("goroutine")):
		c.found["stopped"]++
		history := c.record(dir)
		switch {
		case len(openings(history)) > 0:
			c.found["acting"]++
		case slices.ContainsFunc(history, func(e event.Event) bool { return e.Type == event.ActionStarted }):
			c.found["between"]++
		}
	default:
		c.Fatalf("%s: %v\n%s", limit, err, out)
	}
	for try := 0; !c.ended(dir); try++ {
		if try == 20 {
			shown, _ := c.command(dir, "runs", "show", "last").CombinedOutput()
			c.Fatalf("%s: no end after %d resumes; at first:\n%s\nnow:\n%s", limit, try, out, shown)
		}
		c.goOn(dir, false)
	}
	c.settled(dir)
	if c.Failed() {
		c.Fatalf("%s in %s:\n%s", limit, dir, out)
	}
}

func (c *campaign) reportLimits() {
	c.Logf("%d of %d runs were stopped, %d of them between an INTENT and its outcome, %d later; answered by the witness: %d",
		c.found["stopped"], c.lives, c.found["acting"], c.found["between"], c.asked)
	if c.found["acting"]+c.found["between"] == 0 {
		c.Error("no run was stopped once it had acted: that proves little")
	}
}
