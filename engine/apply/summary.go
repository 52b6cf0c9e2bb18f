package apply

import (
	"fmt"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
)

// What run.summary says: one line, that stands for itself in a chat or on a pager.

// sum puts a summary together, headed by the runbook.
func (r *run) sum(parts ...string) string {
	title := either(r.root.rb.Title, r.root.rb.Name)
	said := make([]string, 0, len(parts))
	for _, part := range parts {
		if part = strings.Join(strings.Fields(part), " "); part != "" {
			said = append(said, part)
		}
	}
	return title + ": " + strings.Join(said, "; ")
}

func (r *run) sumStarted() string {
	return r.sum(fmt.Sprintf("started by %s on %s", r.opts.Run.Operator, r.opts.Start.Host), r.named())
}

func (r *run) sumWaiting(waiting []*state) string {
	parts := []string{"waits for a person"}
	for _, s := range waiting {
		parts = append(parts, s.address+": "+s.asks, fmt.Sprintf("`runbook approve %s %s`", r.opts.Run.ID, shellWord(s.address)))
	}
	return r.sum(parts...)
}

func (r *run) sumUnderWay(after time.Duration) string {
	var now []string
	r.root.each(func(s *state) {
		if s.lived && s.status == "" && s.step.ForEach == nil && s.step.Call == nil {
			now = append(now, s.address)
		}
	})
	under := ""
	if len(now) > 0 {
		under = "under way: " + strings.Join(now, ", ")
	}
	return r.sum("has not succeeded within "+plan.Seconds(after), under, r.tally(), r.named())
}

func (r *run) sumEnd(outcome, reason string) string {
	parts := []string{strings.ReplaceAll(outcome, "_", " ")}
	why := ""
	r.root.each(func(s *state) {
		if why == "" && s.status != "" && s.status != notRun && s.status != rolledBack && !s.well() && s.step.Call == nil && s.step.ForEach == nil {
			why = fmt.Sprintf("%s %s: %s", s.address, s.status, s.reason)
		}
	})
	if outcome != Succeeded {
		parts = append(parts, either(why, reason))
	}
	parts = append(parts, r.tally(), r.named())
	switch outcome {
	case Failed, Interrupted:
		parts = append(parts, fmt.Sprintf("`runbook resume %s`", r.opts.Run.ID))
	}
	return r.sum(parts...)
}

// tally counts the steps that have ended well.
func (r *run) tally() string {
	well, all := 0, 0
	r.root.each(func(s *state) {
		if r.left(s) || s.step.ForEach != nil && len(s.instances) > 0 {
			return
		}
		if all++; s.status != "" && s.well() {
			well++
		}
	})
	return fmt.Sprintf("%d of %d steps ended well", well, all)
}

func (r *run) named() string { return "run " + r.opts.Run.ID }

// shellWord is an address as a shell takes it.
func shellWord(address string) string {
	if strings.ContainsRune(address, '[') {
		return "'" + strings.ReplaceAll(address, "'", `'\''`) + "'"
	}
	return address
}
