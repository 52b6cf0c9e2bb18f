package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/store"
)

// applyFlags are what apply, resume and rollback share.
type applyFlags struct {
	inputs      inputFlags
	autoApprove bool
	approve     []string
	force       []string
	parallelism int
	lockTimeout time.Duration
	given       func(flag string) bool // on the command line
	wait        bool
	json        bool
}

func (f *applyFlags) register(cmd *cobra.Command) {
	f.registerShared(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.force, "force", nil, "act in this `STEP` though it is satisfied; may be given again")
	flags.IntVar(&f.parallelism, "parallelism", 0, "at most `N` actions at once (default: the runbook's max_parallel)")
}

// registerShared registers those that a rollback takes too.
func (f *applyFlags) registerShared(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.given = flags.Changed
	f.inputs.register(flags)
	flags.BoolVar(&f.autoApprove, "auto-approve", false, "do not ask about the plan as a whole; destructive steps still wait for a person")
	flags.StringArrayVar(&f.approve, "approve", nil, "say yes to this `STEP`, or to all; may be given again")
	flags.DurationVar(&f.lockTimeout, "lock-timeout", 0, "wait this `LONG` for another run to give its locks back, such as 5m, and then look again (default: not at the start; 30s where a step learns later what it touches)")
	flags.BoolVar(&f.wait, "wait", false, "stay while steps wait for a person, until \"runbook approve\" answers")
	flags.BoolVar(&f.json, "json", false, "write one JSON event a line")
}

// onRecord refuses what a run on record does not take: its values are those that it
// was started with.
func (f *applyFlags) onRecord() error {
	for flag, given := range map[string]bool{"--var": len(f.inputs.vars) > 0, "--environment": f.inputs.environment != ""} {
		if given {
			return advise(fmt.Errorf("%s cannot be given to a run that has begun", flag), "Its values are on record. Sensitive ones, which are not, come from the environment, from their files, or by --var-file.")
		}
	}
	return nil
}

// options are these flags as the engine takes them, with this process's
// terminal and signals.
func (f *applyFlags) options(a *app, screen *screen) engine.ApplyOptions {
	opts := engine.ApplyOptions{
		Inputs: f.inputs.inputs(a), AutoApprove: f.autoApprove, Approve: f.approve, Force: f.force,
		Parallelism: f.parallelism, Wait: f.wait, Screen: screen,
		Interrupt: a.signals.interrupt, Kill: a.signals.kill,
	}
	if f.given("lock-timeout") {
		opts.LockTimeout = &f.lockTimeout
	}
	opts.Queued = func(locked *store.LockedError) {
		fmt.Fprintf(a.errOut, "Waits up to %s: %s\n", plan.Seconds(f.lockTimeout), locked)
	}
	screen.attend(f.wait)
	if a.interactive() {
		a.answers() // reads from now on: what is typed before a question is dropped
		opts.Confirm = a.confirm
		opts.Ask = a.askStep
		opts.Answer = a.answerStep
	}
	return opts
}

// announceInterrupts tells the person who interrupts a run what that does,
// until stop is called.
func (a *app) announceInterrupts() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-a.signals.interrupt:
			fmt.Fprintln(a.errOut, "Interrupted: what runs may finish, nothing new starts. Interrupt again to cancel what runs.")
		case <-quit:
			return
		}
		select {
		case <-a.signals.kill:
			fmt.Fprintln(a.errOut, "Interrupted again: what runs is cancelled.")
		case <-quit:
		}
	}()
	return func() { close(quit); <-done }
}

// background is the context of what only ends by itself or by the engine's own
// interrupt channels.
func background() context.Context { return context.Background() }
