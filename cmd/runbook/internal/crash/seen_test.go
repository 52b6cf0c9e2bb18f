package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// settled proves what came of a life.
func (c *campaign) settled(dir string) {
	c.alone()
	history := c.record(dir)
	ends := map[string]string{}
	attempts := map[string]int{}
	for i := range history {
		switch e := &history[i]; e.Type {
		case event.StepFinished:
			ends[e.Step] = e.Status
		case event.ActionStarted:
			attempts[doer(e)]++
		case event.ActionFinished:
			c.found[e.Attempt.Settled]++
		}
	}
	for step, status := range c.statuses {
		if ends[step] != status {
			c.Errorf("%s: %s ended %q, not %s", dir, step, ends[step], status)
		}
	}
	for by, d := range c.deeds {
		switch n := c.count(dir, d.name); {
		case n == 0:
			c.Errorf("%s: %s is done on record, and was not", dir, by)
		case n > 1 && !d.again:
			c.Errorf("%s: %s was done %d times", dir, by, n)
		}
		if attempts[by] > 1 {
			c.found["again"] += attempts[by] - 1
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

// ended tells whether the run on record has, as it is to.
func (c *campaign) ended(dir string) bool {
	history := c.record(dir)
	return len(history) > 0 && history[len(history)-1].Outcome == c.outcome
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

// manual are the last attempts, by step, that only a person can settle.
func manual(history []event.Event) map[string]*event.Event {
	open := openings(history)
	maps.DeleteFunc(open, func(_ string, e *event.Event) bool { return e.Attempt.Settling != schema.Manual })
	return open
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

// openings are the last attempts, by step, that have no known end.
func openings(history []event.Event) map[string]*event.Event {
	open := map[string]*event.Event{}
	for i := range history {
		switch e := &history[i]; e.Type {
		case event.ActionStarted:
			open[e.Step] = e
		case event.ActionFinished:
			if e.Attempt.State != schema.Unknown {
				delete(open, e.Step)
			}
		}
	}
	return open
}

// start starts an engine that will be killed. What it starts itself inherits the end
// of a pipe from it: once all have ended, the other end is at its end.
func (c *campaign) start(cmd *exec.Cmd) {
	alive, held, err := os.Pipe()
	if err != nil {
		c.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{4: held} // the first ones are what an engine hands to its providers
	if err := errors.Join(cmd.Start(), held.Close()); err != nil {
		c.Fatal(err)
	}
	c.alive = append(c.alive, alive)
}

// alone waits until the providers of engines that were killed have ended, as a
// person does who looks at what they left: one that comes late would still begin.
func (c *campaign) alone() {
	deadline := time.Now().Add(15 * time.Second)
	for _, alive := range c.alive {
		if err := alive.SetReadDeadline(deadline); err != nil {
			c.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, alive); errors.Is(err, os.ErrDeadlineExceeded) {
			c.Errorf("the providers of an engine that was killed live on after it")
		}
		_ = alive.Close()
	}
	c.alive = nil
}

// runs are those that have a record, if an empty one. An engine that is killed
// before that holds nothing yet, and leaves a folder.
func runs(dir string) []string {
	journals, _ := filepath.Glob(filepath.Join(dir, ".runbook", "runs", "*", "journal.jsonl"))
	ids := make([]string, len(journals))
	for i, journal := range journals {
		ids[i] = filepath.Base(filepath.Dir(journal))
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
