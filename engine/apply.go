package engine

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// ApplyOptions is what Apply may be told.
type ApplyOptions struct {
	Inputs
	AutoApprove bool
	Approve     []string // step addresses, or all
	Only        []string
	Force       []string
	Parallelism int
	// LockTimeout is how long to wait for what another run holds. Nil: not at all at
	// the start, and half a minute for what a step learns later that it touches.
	LockTimeout *time.Duration
	Wait        bool // attend steps that wait for a person, instead of ending without them

	// Confirm asks whether a plan is to be run; nil: there is no terminal.
	Confirm func(*plan.Plan) (bool, error)
	// Ask asks about one step; nil: there is no terminal.
	Ask func(context.Context, apply.Question) (bool, error)
	// Answer answers what an action asks; nil: there is no terminal.
	Answer func(context.Context, apply.Question) (apply.Answer, error)
	// Planned, if set, is told the plan before anything is done.
	Planned func(*plan.Plan)
	// Progress, if set, is told each step before it is planned.
	Progress func(step string)
	// Queued, if set, is told who holds what the run needs, before that is waited for.
	Queued func(*store.LockedError)
	Screen event.Sink

	Interrupt <-chan struct{} // closed by the first signal
	Kill      <-chan struct{} // closed by the second

	saved    *plan.Saved // what becomes a run; nil: a plan of this moment
	approved bool        // somebody has said yes to what is planned
}

// Declined is the outcome of an apply that a person said no to: there is no run.
const Declined = "declined"

// Result is what came of Apply or Resume.
type Result struct {
	apply.Result
	Run  string // empty: there is no run
	Plan *plan.Plan
	Seal string // the last seal of the record
}

// ErrNeedsApproval means that nobody was there to say yes to the plan.
var ErrNeedsApproval = errors.New("the plan changes something and nobody said yes to it")

// StaleError means that what would be done has grown since it was shown.
type StaleError struct {
	Grew []string
}

// Error implements error.
func (e *StaleError) Error() string {
	return "the plan is stale: " + strings.Join(e.Grew, "; ")
}

// Apply plans, asks and runs. Diagnostics are mistakes in the input; the error
// is typed: ErrNeedsApproval, *StaleError, *store.LockedError, or the store's.
func (e *Engine) Apply(ctx context.Context, rb *runbook.Runbook, opts ApplyOptions) (Result, hcl.Diagnostics, error) {
	s, diags := e.open(ctx, rb, opts.Inputs)
	if diags.HasErrors() {
		return Result{}, diags, nil
	}
	defer s.Close()
	if s.storeErr != nil {
		return Result{}, diags, s.storeErr
	}
	if err := declared(rb, slices.DeleteFunc(slices.Clone(opts.Approve), isAll)); err != nil {
		return Result{}, diags, err
	}
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	p, answer, err := e.agree(looking, s, opts)
	switch {
	case err != nil:
		return Result{Plan: p}, diags, err
	case answer == declined:
		return Result{Plan: p, Result: apply.Result{Outcome: Declined}}, diags, nil
	}
	opts.approved = answer == agreed
	result, err := e.run(ctx, s, p, opts)
	return result, diags, err
}

// run takes the locks, opens the record and runs.
func (e *Engine) run(ctx context.Context, s *session, p *plan.Plan, opts ApplyOptions) (Result, error) {
	st := s.store
	writes := lockable(p)
	only, err := target(s.frame.Runbook, opts.Only)
	if err != nil {
		return Result{Plan: p}, err
	}
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	lease, p, err := e.acquire(looking, st.Begin, s, p, writes, opts)
	if err != nil && lease != nil {
		err = errors.Join(err, lease.Release(ctx))
	}
	if err != nil {
		return Result{Plan: p}, err
	}
	kept, err := st.NewRun(s.run.ID)
	if err != nil {
		return Result{Plan: p}, errors.Join(err, lease.Release(ctx))
	}
	kept.Hold(lease)
	start, err := e.start(ctx, s, p)
	if err == nil && opts.saved != nil {
		start.PlanDigest = opts.saved.Digest
		err = st.UsePlan(opts.saved.Digest, s.run.ID)
	}
	if err != nil {
		return Result{Plan: p}, errors.Join(err, kept.Discard(), lease.Release(ctx))
	}
	start.Targets, start.Force, start.Approved = opts.Only, opts.Force, opts.approved
	if stopper := plan.Stopper(p); p.Outcome == plan.Blocked && stopper != nil {
		applying := e.applyOptions(s, opts, kept, lease, writes, start, nil)
		return e.finish(ctx, s, p, kept, lease, apply.Refuse(ctx, applying, p))
	}
	return e.finish(ctx, s, p, kept, lease, apply.Run(ctx, e.applyOptions(s, opts, kept, lease, writes, start, only)))
}

func (e *Engine) applyOptions(s *session, opts ApplyOptions, kept *store.Run, lease *store.Lease, held []schema.Effect, start event.Start, only map[string]bool) apply.Options {
	lockTimeout := defaultLockTimeout
	if opts.LockTimeout != nil {
		lockTimeout = *opts.LockTimeout
	}
	yes := approved(s.frame, opts.Approve)
	shown(yes, opts.saved)
	var inbox func() (apply.Said, error)
	if opts.Wait {
		inbox = func() (apply.Said, error) { return said(kept) }
	}
	return apply.Options{
		Inbox: inbox, Answers: map[string]apply.Answer{},

		Frame: s.frame, Run: s.run, Start: start,
		Backend: backend{s.host}, Schemas: s.host,
		Record: kept, Locks: newLocks(lease, held), Screen: opts.Screen, Clock: e.clock,
		Parallelism: opts.Parallelism, LockTimeout: lockTimeout, Only: only, Force: set(opts.Force), Unapproved: !start.Approved,
		Approved: yes, Ask: opts.Ask, Answer: opts.Answer, Interrupt: opts.Interrupt, Kill: opts.Kill,
	}
}

// defaultLockTimeout is how long a step waits for resources learned late.
const defaultLockTimeout = 30 * time.Second

// finish closes the record and gives the locks back where the run is over.
func (e *Engine) finish(ctx context.Context, s *session, p *plan.Plan, kept *store.Run, lease *store.Lease, ran apply.Result) (Result, error) {
	result := Result{Result: ran, Run: s.run.ID, Plan: p, Seal: kept.Journal().Seal()}
	err := kept.Close()
	if forGood(ran) || result.Seal == "" { // what is not on record was not begun
		err = errors.Join(err, lease.Release(ctx))
	}
	lease.Close()
	if ran.RecordError != nil {
		err = errors.Join(ran.RecordError, err)
	}
	return result, err
}

// forGood tells whether a run has ended for good: only then its locks are free.
func forGood(r apply.Result) bool {
	goesOn := r.Outcome == apply.Waiting || r.Outcome == apply.Interrupted && !r.Over
	return !goesOn && len(r.Unknown) == 0 && r.RecordError == nil
}

func (e *Engine) holder(s *session) store.Holder {
	host, _ := os.Hostname() // shown to people only
	return store.Holder{Run: s.run.ID, Runbook: s.frame.Runbook.Name, Operator: s.run.Operator, Host: host, PID: os.Getpid(), Since: s.run.StartedAt}
}

// lockable is what a plan is known to write.
func lockable(p *plan.Plan) []schema.Effect {
	var effects []schema.Effect
	for _, e := range p.BlastRadius {
		if e.Mode != schema.Read {
			effects = append(effects, e.Effect)
		}
	}
	return effects
}

func (e *Engine) start(ctx context.Context, s *session, p *plan.Plan) (event.Start, error) {
	host, _ := os.Hostname()
	variables, err := encodeVariables(s.frame)
	if err != nil {
		return event.Start{}, err
	}
	providers, err := e.identities(ctx, s)
	if err != nil {
		return event.Start{}, err
	}
	rb := s.frame.Runbook
	start := event.Start{
		Runbook: rb.Name, Title: rb.Title, File: rb.File, Dir: rb.Dir, StartedAt: s.run.StartedAt, Operator: s.run.Operator, Host: host, PID: os.Getpid(),
		Environment: s.run.Environment, Version: e.opts.Version, Providers: providers, Variables: variables,
	}
	keep(&start, s.sources(ctx))
	if p != nil {
		start.PlanDigest = p.Digest
		for i := range p.Steps {
			start.Steps = append(start.Steps, strings.ReplaceAll(p.Steps[i].Address, "[*]", "")) // which there are is not known yet
		}
	}
	return start, nil
}

// approved is what --approve says yes to.
func approved(frame *eval.Frame, names []string) map[string][]apply.Approval {
	yes := make(map[string][]apply.Approval)
	for _, name := range names {
		if !isAll(name) {
			yes[name] = append(yes[name], apply.Approval{})
			continue
		}
		for _, f := range frame.All() {
			for _, step := range f.Runbook.Steps {
				at := f.Under(step.Address())
				yes[at] = append(yes[at], apply.Approval{All: true})
			}
		}
	}
	return yes
}

// isAll tells whether --approve means every step.
func isAll(name string) bool { return name == "all" }
