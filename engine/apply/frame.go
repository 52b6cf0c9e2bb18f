package apply

import (
	"context"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/graph"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// frame is a runbook within a run: the outermost one, or one that a step calls.
// Its stop, its timeout and the end of its looks are its own and those of the
// frames below it.
type frame struct {
	linked    *eval.Frame
	rb        *runbook.Runbook
	outer     *frame // nil: the outermost
	observer  *plan.Observer
	diagnosis *plan.Diagnosis
	steps     []*state // by Step.Index
	byName    map[string]*state
	queue     *graph.Queue
	called    map[string]*frame // by the address of what calls
	calls     []*frame          // the same, in order

	halt      string // why nothing new starts; empty: nothing stands in the way here
	late      int    // attempts on record that an always step made after that: it is over, a resume only settles
	timedOut  bool
	back      string   // because of which step what was done is taken back; empty: it is not
	backAt    int64    // place in the record of where that was decided
	backward  backward // how far that has come
	whole     bool     // all that was to be taken back was
	dismissed bool     // what waited for a person has ended
	held      []held   // always steps that wait for it
	unalarm   func()   // stops the timeout

	ahead  bool  // it is only looked at what is to come: see Remaining
	kept   bool  // the call of these steps ended in an earlier process: so did they
	caller *task // waits until its steps have ended; nil: nobody does
	begun  int   // of its steps, those that have a task
	atWork int   // tasks of its steps, and of what they call, but for those that wait for each other or are held

	looks       context.Context // of this frame's life, which is one call's of Run
	cancelLooks context.CancelFunc
}

// newFrame makes a frame and all those below it.
func (r *run) newFrame(linked *eval.Frame, outer *frame, looks context.Context) *frame {
	rb := linked.Runbook
	f := &frame{
		linked: linked, rb: rb, outer: outer, unalarm: func() {},
		steps: make([]*state, len(rb.Steps)), byName: make(map[string]*state, len(rb.Steps)), called: make(map[string]*frame),
	}
	f.looks, f.cancelLooks = context.WithCancel(looks)
	f.observer = &plan.Observer{Frame: linked, Values: f, Schemas: r.opts.Schemas, Backend: r.opts.Backend, Clock: r.opts.Clock}
	f.observer.Scope = eval.New(rb, linked.Variables, r.opts.Run, f)
	f.diagnosis = plan.NewDiagnosis(linked, nil)
	for _, inner := range linked.Called() {
		looks := f.looks
		if inner.Step.Always {
			looks = r.acts
		}
		called := r.newFrame(inner, f, looks)
		f.called[inner.Address] = called
		f.calls = append(f.calls, called)
	}
	for i, step := range rb.Steps {
		f.steps[i] = f.newState(step, step.Address(), eval.Extra{})
		if step.NoReturn {
			r.noReturn = append(r.noReturn, f.steps[i])
		}
		f.byName[step.Name] = f.steps[i]
	}
	f.queue = plan.Graph(rb).Queue()
	return f
}

// all lists this frame and those below it.
func (f *frame) all() []*frame {
	frames := []*frame{f}
	for _, inner := range f.calls {
		frames = append(frames, inner.all()...)
	}
	return frames
}

// each visits the steps of a frame and of those below it, each instance by
// itself, callers before what they call.
func (f *frame) each(visit func(*state)) {
	for _, s := range f.steps {
		for _, i := range slices.Concat(s.all(), s.former) {
			visit(i)
			if i.inner != nil {
				i.inner.each(visit)
			}
		}
	}
}

// stop keeps anything new from starting in a frame, but always steps.
func (f *frame) stop(why string) {
	if f.halt == "" {
		f.halt = why
	}
}

// halted is why nothing new starts; empty: nothing stands in the way. What stops
// a runbook does not stop what its always steps call.
func (f *frame) halted() string {
	for ; f != nil; f = f.outer {
		if f.halt != "" || f.linked.Step != nil && f.linked.Step.Always {
			return f.halt
		}
	}
	return ""
}

// stoppedIn is the outermost of the frames that an action is part of which have
// stopped; nil: none has, and it is no always step that acts after a stop.
func (f *frame) stoppedIn() *frame {
	var stopped *frame
	for ; f != nil; f = f.outer {
		if f.halt != "" {
			stopped = f
		}
	}
	return stopped
}

// under tells whether a frame is that of an address, or a part of it.
func (f *frame) under(address string) bool {
	for ; f != nil; f = f.outer {
		if f.linked.Address == address {
			return true
		}
	}
	return false
}

// isOver tells whether nothing new starts in a frame, not even in a resume.
func (f *frame) isOver() bool {
	for ; f != nil; f = f.outer {
		if f.late > 0 || f.linked.Step != nil && f.linked.Step.Always {
			return f.late > 0
		}
	}
	return false
}

// number gives the steps of a frame, and of those below it, their place in the
// order of the source, a called runbook's after the step that calls it.
func (f *frame) number(next int) int {
	for _, s := range f.steps {
		s.order = next
		next++
		for _, called := range f.calls {
			if called.linked.Step == s.step {
				next = called.number(next)
			}
		}
	}
	return next
}

// Step implements eval.Values.
func (f *frame) Step(name string) cty.Value {
	s := f.byName[name]
	switch {
	case s == nil:
		return cty.DynamicVal
	case f.ahead:
		return s.foretold()
	}
	return s.value()
}

// Status implements eval.Values.
func (f *frame) Status(name string) cty.Value {
	if s := f.byName[name]; s != nil && s.status != "" {
		return cty.StringVal(s.status)
	}
	if f.ahead {
		return cty.UnknownVal(cty.String)
	}
	return cty.NullVal(cty.String)
}

// Check implements eval.Values.
func (f *frame) Check(name string) cty.Value { return f.diagnosis.Value(name) }
