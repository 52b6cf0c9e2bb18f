// Package apply runs a runbook: it schedules steps, looks, acts, waits, proves
// and records, by the one table that plan.Decide holds. Every fact is durable
// before the engine goes on from it. The package starts no process and writes to
// no terminal: providers, record and screen are handed in.
package apply

import (
	"context"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
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
	Pin(step string) (*event.File, error)
	AttemptLock(step string, attempt int) string
	// AttemptFree tells whether nobody works at an attempt any more.
	AttemptFree(path string) (bool, error)
}

// Locks are the resources this run holds against others.
type Locks interface {
	// Extend takes more; an error names who holds them.
	Extend(effects []schema.Effect) error
}

// Said is what people have said to the steps of a run, by address.
type Said struct {
	Approved map[string][]Approval
	Answers  map[string]Answer
}

// Question is what a person is asked before an action, or by one.
type Question struct {
	Step        string
	Title       string
	Action      string
	Fallback    string         // label of the fallback whose action it is; empty: the step's own
	TakesBack   bool           // it takes back what the step did
	WayBack     *event.WayBack // how it would be taken back, which is approved with it; nil: not at all
	Reason      string
	Destructive bool
	Effects     []schema.Effect
	Impact      schema.Impact
	Sample      []string
	Summary     string
	Command     string

	Answers schema.Object // what to fill in, where an action asks; empty: a confirmation
	Problem string        // why the last answer is not taken; empty: there was none
}

// The outcomes of a run.
const (
	Succeeded   = "succeeded"
	Failed      = "failed"
	Blocked     = "blocked"
	Waiting     = "waiting"
	Interrupted = "interrupted"
	RolledBack  = "rolled_back"
)

// Options is what a run needs.
type Options struct {
	Frame   *eval.Frame // the runbook, and what it calls
	Run     eval.Run
	Start   event.Start
	Backend Backend
	Schemas plan.Schemas
	Record  Record
	Locks   Locks
	Screen  event.Sink
	Clock   clock.Clock

	Parallelism int // zero: the runbook's
	LockTimeout time.Duration
	Only        map[string]bool
	Force       map[string]bool
	Unapproved  bool                  // nobody has said yes to the run, since its plan would not act: no step may
	Approved    map[string][]Approval // by step address
	// Ask asks a person at the terminal; nil: there is none, and the run waits.
	Ask func(context.Context, Question) (bool, error)
	// Everybody has whom Ask asks stand for all whose yes a step wants, as in a
	// rehearsal.
	Everybody bool
	// Answer has a person at the terminal answer what an action asks; nil: there
	// is none, and the run waits.
	Answer func(context.Context, Question) (Answer, error)
	// Answers are to the questions on record, by step address.
	Answers map[string]Answer
	// Inbox, if set, is asked now and then for what people have said elsewhere to the
	// steps that wait: the run attends them instead of ending without them. It may be
	// called beside itself.
	Inbox func() (Said, error)

	Interrupt <-chan struct{} // closed by the first signal
	Kill      <-chan struct{} // closed by the second

	// History is the record of an earlier process of this run.
	History []event.Event
	// TakeBack has what the run did taken back; nothing else begins.
	TakeBack bool
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
	AsWanted bool     // it was rolled back, and a person wanted that
	Over     bool     // an always step has run after a stop: resume only settles
	Warnings []string
	Values   eval.Values // what expressions see of steps and checks in the end; nil: the run was refused
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
	done := make(chan struct{})
	defer close(done)
	r.done = done
	r.watch(done)
	defer r.unalarm()
	r.replay(opts.History)
	r.recallNotices(opts.History)
	r.say(event.Event{Type: event.RunStarted, Start: &r.opts.Start, Title: opts.Frame.Runbook.Title})
	if len(opts.History) == 0 {
		r.notify("started", "", r.sumStarted())
	}
	if !r.opts.TakeBack {
		r.escalate()
	}
	r.loop.spawn(-1, r.open)
	r.loop.run()
	return r.finish(ctx)
}

// run is one process's part of a run. Its fields belong to the loop.
type run struct {
	opts      Options
	loop      *loop
	clock     clock.Clock
	done      <-chan struct{}
	root      *frame
	past      map[string]past     // by address: what the record says of steps, taken up as they come
	keys      map[string][]string // by the address of a step with a for_each: of its instances on record
	begun     map[string][]string // by the address of a step with a for_each: keys with an attempt on record
	calls     map[string]bool     // by address: calls with an attempt inside on record
	exclusion *exclusion
	orphans   []orphan // attempts that somebody may still work at

	seq       int64
	unsaid    []event.Event // not durable yet
	recordErr error
	logErr    error // as recordErr, but outcomes are still recorded

	interrupted bool
	noReturn    []*state // the steps that are points of no return
	intents     int      // attempts on record, but for those that only asked a person
	warnings    []string
	asking      stopwatch
	telling     *telling

	// acts ends with the second interrupt; the root frame's looks with the
	// first. A context of one run's life, which is this function call's.
	acts       context.Context
	cancelActs context.CancelFunc
}

func newRun(ctx context.Context, opts Options) *run {
	if opts.TakeBack {
		opts.Start.TakeBack = true
	}
	r := &run{opts: opts, clock: opts.Clock, past: map[string]past{}, keys: map[string][]string{}, begun: map[string][]string{}, calls: map[string]bool{}, telling: newTelling()}
	r.loop = newLoop(opts.Clock, r.settle)
	slots := opts.Parallelism
	if slots == 0 {
		slots = opts.Frame.Runbook.MaxParallel
	}
	r.exclusion = &exclusion{loop: r.loop, slots: max(slots, 1)}
	r.acts, r.cancelActs = context.WithCancel(ctx)
	r.root = r.newFrame(opts.Frame, nil, r.acts)
	r.root.number(0)
	return r
}

// watch turns signals and the runbook's timeout into posts to the loop.
func (r *run) watch(done <-chan struct{}) {
	interrupt := func() {
		r.interrupted = true
		r.root.stop("the run was interrupted")
		r.root.cancelLooks()
	}
	select {
	case <-r.opts.Interrupt: // before anything could begin
		interrupt()
	default:
		r.loop.heed(r.opts.Interrupt, done, false, interrupt)
	}
	// Not only by the loop: a screen that takes nothing may hold that up.
	r.loop.heed(r.opts.Kill, done, true, r.cancelActs)
	if !r.opts.TakeBack {
		r.alarm(r.root, r.root.rb.Timeout, "the runbook's timeout")
	}
}

// open makes the diagnosis and starts what is ready.
func (r *run) open(t *task) {
	frames := r.root.all()
	asks := slices.ContainsFunc(frames, func(f *frame) bool { return len(f.rb.Diagnosis) > 0 })
	if asks && !(r.acted() && !slices.ContainsFunc(frames, func(f *frame) bool { return !f.diagnosis.Complete() })) {
		r.diagnose(t, frames)
	}
	if r.root.back != "" {
		r.resumeBack(t, r.root)
	}
	r.start(r.root, r.root.queue.First())
}

// diagnose looks at the checks that expressions read, of all frames together.
func (r *run) diagnose(t *task, frames []*frame) {
	round := new(plan.Round)
	found := make([]*plan.Diagnosis, len(frames))
	err := t.call(func() {
		clock.Together(r.clock, len(frames), func(i int) { found[i] = plan.Diagnose(frames[i].looks, frames[i].observer, round) })
	})
	if err != nil {
		r.root.stop("the record cannot be written")
		return
	}
	for i, f := range frames {
		f.diagnosis = found[i]
		f.diagnosis.Each(func(name string, seen plan.Sighting) {
			e := observation("check", name, seen, 1, true)
			e.Step = f.linked.Address
			r.say(e)
		})
	}
}

// start begins the steps of a frame whose turn it is.
func (r *run) start(f *frame, nodes []int) {
	for _, node := range nodes {
		s := f.steps[node]
		if f == r.root && r.opts.Only != nil && !r.opts.Only[s.address] {
			r.start(f, f.queue.Done(node))
			continue
		}
		r.begin(f, node, func(t *task) {
			s.lived = true
			r.live(t, s)
		})
	}
}

// begin gives a step of a frame a turn, and then those that come after it.
func (r *run) begin(f *frame, node int, turn func(*task)) {
	s := f.steps[node]
	f.begun++
	r.busy(f, 1)
	r.loop.spawn(s.order, func(t *task) {
		turn(t)
		if s.status != "" {
			r.start(f, f.queue.Done(node))
		}
		r.came(f)
	})
}
