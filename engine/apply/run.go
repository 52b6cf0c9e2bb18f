// Package apply runs a runbook: it schedules steps, looks, acts, waits, proves
// and records, by the one table that plan.Decide holds. Every fact is durable
// before the engine goes on from it. The package starts no process and writes to
// no terminal: providers, record and screen are handed in.
package apply

import (
	"context"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/graph"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Backend is what running needs of the providers beside looking.
type Backend interface {
	plan.Backend
	// Act runs an action and always returns a state; when ctx ends it cancels
	// the work in the backend and waits for the last word.
	Act(ctx context.Context, ref string, op schema.Operation, progress func(schema.Progress)) schema.Outcome
	Settle(ctx context.Context, ref string, op schema.Operation) schema.Outcome
}

// Record is where a run's facts are kept.
type Record interface {
	// Append makes events durable. After an error it is never tried again.
	Append(events ...event.Event) error
	// Log keeps a line of a step's output.
	Log(step, line string) error
	// Pin names what a step's log holds so far; nil where nothing was logged.
	Pin(step string) (*event.LogFile, error)
	AttemptLock(step string, attempt int) string
	// AttemptFree tells whether nobody works at an attempt any more.
	AttemptFree(path string) (bool, error)
}

// Locks are the resources this run holds against others.
type Locks interface {
	// Extend takes more; an error names who holds them.
	Extend(effects []schema.Effect) error
}

// Question is what a person is asked before an action.
type Question struct {
	Step        string
	Title       string
	Action      string
	Reason      string
	Destructive bool
	Effects     []schema.Effect
	Impact      schema.Impact
	Sample      []string
	Summary     string
	Command     string
}

// Approval is a person's yes. One that was given beforehand is to whatever the
// step does, up to its limit; else it is to what was shown.
type Approval struct {
	By      string // empty: the operator
	Note    string
	Shown   bool // it is to these effects, up to these counts
	Effects []schema.Effect
	Impact  schema.Impact
}

// The outcomes of a run.
const (
	Succeeded   = "succeeded"
	Failed      = "failed"
	Blocked     = "blocked"
	Waiting     = "waiting"
	Interrupted = "interrupted"
)

// Options is what a run needs.
type Options struct {
	Runbook   *runbook.Runbook
	Variables map[string]cty.Value
	Run       eval.Run
	Start     event.Start
	Backend   Backend
	Schemas   plan.Schemas
	Record    Record
	Locks     Locks
	Screen    event.Sink
	Clock     clock.Clock

	Parallelism int // zero: the runbook's
	LockTimeout time.Duration
	Only        map[string]bool
	Force       map[string]bool
	Approved    map[string]Approval // by step address
	// Ask asks a person at the terminal; nil: there is none, and the run waits.
	Ask func(context.Context, Question) (bool, error)

	Interrupt <-chan struct{} // closed by the first signal
	Kill      <-chan struct{} // closed by the second

	// History is the record of an earlier process of this run.
	History []event.Event
	// Resolve settles unknown outcomes by a person's word: done, retry or fail.
	Resolve map[string]string
}

// Result is how a run ended.
type Result struct {
	Outcome  string
	Steps    []StepResult // source order
	Outputs  map[string]any
	Waiting  []string // addresses that wait for a person
	Unknown  []string // addresses with an unknown outcome
	Acted    bool     // an INTENT exists
	Over     bool     // an always step has run after a stop: resume only settles
	Warnings []string
	// RecordError is set where facts could not be kept.
	RecordError error
}

// StepResult is how one step ended.
type StepResult struct {
	Address string
	Status  string // empty: it waits
	Reason  string
}

// Run runs to the end, or to where it has to wait. It returns when everything
// it started has ended.
func Run(ctx context.Context, opts Options) Result {
	r := newRun(ctx, opts)
	defer r.cancelActs()
	defer r.cancelLooks()
	done := make(chan struct{})
	defer close(done)
	r.done = done
	r.watch(done)
	defer func() { r.unalarm() }()
	r.replay(opts.History)
	r.say(event.Event{Type: event.RunStarted, Start: &r.opts.Start, Title: opts.Runbook.Title})
	r.loop.spawn(-1, r.begin)
	r.loop.run()
	return r.finish(ctx)
}

// run is one process's part of a run. Its fields belong to the loop.
type run struct {
	opts     Options
	rb       *runbook.Runbook
	loop     *loop
	clock    clock.Clock
	observer *plan.Observer
	done     <-chan struct{}

	steps     []*state // by Step.Index
	byName    map[string]*state
	queue     *graph.Queue
	diagnosis *plan.Diagnosis
	exclusion *exclusion

	seq       int64
	unsaid    []event.Event // not durable yet
	recordErr error
	logErr    error // as recordErr, but outcomes are still recorded

	halt        string // why nothing new starts; empty: nothing stands in the way
	interrupted bool
	timedOut    bool
	acted       bool
	over        bool
	warnings    []string
	asking      stopwatch
	unalarm     func() // stops the runbook's timeout

	// looks ends with the first interrupt; acts with the second. Contexts of
	// one run's life, which is this function call's.
	looks, acts             context.Context
	cancelLooks, cancelActs context.CancelFunc
}

func newRun(ctx context.Context, opts Options) *run {
	rb := opts.Runbook
	r := &run{opts: opts, rb: rb, clock: opts.Clock, unalarm: func() {}, byName: make(map[string]*state, len(rb.Steps))}
	r.loop = newLoop(opts.Clock, r.settle)
	slots := opts.Parallelism
	if slots == 0 {
		slots = rb.MaxParallel
	}
	r.exclusion = &exclusion{loop: r.loop, slots: max(slots, 1)}
	r.observer = &plan.Observer{Runbook: rb, Values: r, Schemas: opts.Schemas, Backend: opts.Backend, Clock: opts.Clock}
	r.observer.Scope = eval.New(rb, opts.Variables, opts.Run, r)
	r.diagnosis = plan.Restore(nil)
	r.steps = make([]*state, len(rb.Steps))
	for i, step := range rb.Steps {
		r.steps[i] = &state{step: step, address: step.Address()}
		r.byName[step.Name] = r.steps[i]
	}
	r.queue = plan.Graph(rb).Queue()
	r.acts, r.cancelActs = context.WithCancel(ctx)
	r.looks, r.cancelLooks = context.WithCancel(r.acts)
	return r
}

// watch turns signals and the runbook's timeout into posts to the loop.
func (r *run) watch(done <-chan struct{}) {
	on := func(signal <-chan struct{}, do func()) {
		if signal == nil {
			return
		}
		select {
		case <-signal: // before anything could begin
			do()
			return
		default:
		}
		go func() {
			select {
			case <-signal:
				r.loop.post(done, do)
			case <-done:
			}
		}()
	}
	on(r.opts.Interrupt, func() {
		r.interrupted = true
		r.stop("the run was interrupted")
		r.cancelLooks()
	})
	if r.opts.Kill != nil {
		go func() { // not by the loop: a screen that takes nothing may hold that up
			select {
			case <-r.opts.Kill:
				r.cancelActs()
			case <-done:
			}
		}()
	}
	if r.rb.Timeout > 0 {
		r.alarm(r.rb.Timeout)
	}
}

// stop keeps anything new from starting, but always steps.
func (r *run) stop(why string) {
	if r.halt == "" {
		r.halt = why
	}
}

// begin makes the diagnosis and starts what is ready.
func (r *run) begin(t *task) {
	names := r.rb.Diagnosis
	if len(names) > 0 && !(r.acted && r.diagnosis.Has(names)) {
		round := new(plan.Round)
		var diagnosis *plan.Diagnosis
		if err := t.call(func() { diagnosis = plan.Diagnose(r.looks, r.observer, round) }); err != nil {
			r.stop("the record cannot be written")
			diagnosis = plan.Restore(nil)
		}
		r.diagnosis = diagnosis
		diagnosis.Each(func(name string, s plan.Sighting) {
			r.observed(nil, "check", name, s, 1, true)
		})
	}
	r.start(r.queue.First())
}

// start begins the steps whose turn it is.
func (r *run) start(nodes []int) {
	for _, node := range nodes {
		s := r.steps[node]
		if r.opts.Only != nil && !r.opts.Only[s.address] {
			r.start(r.queue.Done(node))
			continue
		}
		r.loop.spawn(node, func(t *task) {
			r.live(t, s)
			if s.status != "" {
				r.start(r.queue.Done(node))
			}
		})
	}
}

// Step implements eval.Values.
func (r *run) Step(name string) cty.Value {
	if s := r.byName[name]; s != nil {
		return s.value()
	}
	return cty.DynamicVal
}

// Check implements eval.Values.
func (r *run) Check(name string) cty.Value { return r.diagnosis.Value(name) }
