package apply

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// How hard it is tried to tell people something. None of it fails or holds up a
// step; the end of a run waits for it that long at most.
const (
	noticeTries    = 3
	noticeTimeout  = 30 * time.Second // of one try
	noticePatience = 2 * time.Minute  // after which no other try begins
	noticePause    = 2 * time.Second  // before the second try, where the backend does not say
)

// telling is what a run has told people, over all of its processes.
type telling struct {
	last    map[string]event.Attempt // by key: how the last try went
	tries   map[string]int           // by address, for their numbers
	waits   map[waitTold]bool        // what was told of steps that wait
	ends    int                      // processes that ended on record
	stops   []func()                 // of escalations that are to come
	closing bool                     // the run has ended: no escalation comes any more by its time
}

// waitTold is a wait for a person that a notify has told of.
type waitTold struct {
	notice, step string
	attempt      int
}

func newTelling() *telling {
	return &telling{last: map[string]event.Attempt{}, tries: map[string]int{}, waits: map[waitTold]bool{}}
}

// recallNotices takes off the record what people were told. Of what was being
// told as the engine went away nobody knows whether it came through.
func (r *run) recallNotices(history []event.Event) {
	open := map[string]event.Notice{}
	var order []string
	for i := range history {
		switch e := &history[i]; e.Type {
		case event.RunFinished:
			r.telling.ends++
		case event.NoticeStarted, event.NoticeFinished:
			key := e.Attempt.Key
			r.telling.last[key] = *e.Attempt
			r.telling.tries[e.Notice.Address] = max(r.telling.tries[e.Notice.Address], e.Attempt.Number)
			if delete(open, key); e.Type == event.NoticeStarted {
				open[key] = *e.Notice
				order = append(order, key)
			}
			for _, w := range e.Notice.Waits {
				r.telling.waits[waitTold{e.Notice.Address, w.Step, w.Attempt}] = e.Attempt.State != schema.FailedClean
			}
		}
	}
	for _, key := range order {
		if n, ok := open[key]; ok {
			delete(open, key)
			r.warn(fmt.Sprintf("%s: the engine went away while it told of %s: nobody knows whether that was delivered", n.Address, about(n)))
		}
	}
}

// about is what a notice tells of.
func about(n event.Notice) string {
	if n.On == "" {
		return "the run"
	}
	return n.On
}

// notify tells of something by every notify that is for it. id tells it from
// another of its kind in the same run.
func (r *run) notify(on, id, summary string) {
	for _, n := range r.root.rb.Notices {
		if slices.Contains(n.On, on) {
			r.tell(n, event.Notice{Address: n.Address(), On: on}, id, summary)
		}
	}
}

// notifyWaiting tells of steps that wait for a person, once for each time that
// they do.
func (r *run) notifyWaiting(waiting []*state) {
	for _, n := range r.root.rb.Notices {
		if !slices.Contains(n.On, Waiting) {
			continue
		}
		said, id := event.Notice{Address: n.Address(), On: Waiting}, ""
		var of []*state
		for _, s := range waiting {
			told := waitTold{n.Address(), s.address, s.attempts + 1}
			if r.telling.waits[told] {
				continue
			}
			r.telling.waits[told] = true
			of = append(of, s)
			said.Waits = append(said.Waits, event.Wait{Step: told.step, Attempt: told.attempt})
			id += fmt.Sprintf("%s %d\n", told.step, told.attempt)
		}
		if len(of) > 0 {
			r.tell(n, said, id, r.sumWaiting(of))
		}
	}
}

// notifyEnd tells how the run has ended, and calls for more help where it failed.
func (r *run) notifyEnd(outcome, reason string) {
	r.telling.closing = true
	if outcome == Waiting {
		var waiting []*state
		r.root.each(func(s *state) {
			if s.waits {
				waiting = append(waiting, s)
			}
		})
		r.notifyWaiting(waiting)
		return
	}
	r.notify(outcome, fmt.Sprint(r.telling.ends), r.sumEnd(outcome, reason))
	if outcome != Failed {
		return
	}
	for _, n := range r.root.rb.Notices {
		if n.On == nil {
			r.tell(n, event.Notice{Address: n.Address()}, "", r.sumEnd(outcome, reason))
		}
	}
}

// escalate sets the clock for every escalation; one that is overdue comes now.
func (r *run) escalate() {
	for _, n := range r.root.rb.Notices {
		if n.On != nil {
			continue
		}
		fire := func() {
			if !r.telling.closing {
				r.tell(n, event.Notice{Address: n.Address()}, "", r.sumUnderWay(n.After))
			}
		}
		left := r.opts.Run.StartedAt.Add(n.After).Sub(r.clock.Now())
		if left <= 0 {
			fire()
			continue
		}
		r.telling.stops = append(r.telling.stops, r.clock.AfterFunc(left, func() { r.loop.post(r.done, fire) }))
	}
}

// noticeOrder puts what people are told after all that the steps do at the same
// instant.
const noticeOrder = math.MaxInt

// tell begins to tell people something, beside all else, unless it was told
// before.
func (r *run) tell(n *runbook.Notice, said event.Notice, id, summary string) {
	key := Key(r.opts.Run.ID, n.Address()+"\n"+said.On+"\n"+id, 0)
	if last, ok := r.telling.last[key]; ok && !r.tellAgain(last) {
		return
	}
	r.telling.last[key] = event.Attempt{State: schema.Running}
	r.loop.spawn(noticeOrder, func(t *task) { r.deliver(t, n, said, key, summary) })
}

// tellAgain says whether another try can tell nobody twice.
func (r *run) tellAgain(last event.Attempt) bool {
	switch last.State {
	case schema.FailedClean:
		return true
	case schema.FailedPartial:
		return keyed(last.Settling)
	case schema.Unknown, "":
		free, err := r.opts.Record.AttemptFree(last.Lock)
		return keyed(last.Settling) && err == nil && free
	}
	return false
}

// deliver tells people something, by a few tries that cannot tell it twice.
func (r *run) deliver(t *task, n *runbook.Notice, said event.Notice, key, summary string) {
	ctx := plan.At(r.acts, n.Address())
	a, why := r.prepareNotice(t, ctx, n, summary)
	switch {
	case a == nil && why == "":
		return // its when is false
	case a == nil:
		r.undelivered(said, why)
		return
	}
	until := r.clock.Now().Add(noticePatience)
	for try := 1; ; try++ {
		attempt, failure := r.tryNotice(t, ctx, n, said, key, a)
		switch {
		case attempt == nil: // the record is gone: nothing new begins
			r.undelivered(said, failure.Error())
			return
		case attempt.State == schema.Done:
			return
		}
		if attempt.State == schema.FailedClean && !failure.Retryable || !r.tellAgain(*attempt) || try == noticeTries || ctx.Err() != nil {
			r.undelivered(said, failure.Error())
			return
		}
		pause := time.Duration(try) * noticePause
		if said := wish(failure); said > 0 {
			pause = said
		}
		if r.clock.Now().Add(pause).After(until) {
			r.undelivered(said, fmt.Sprintf("%s; the next try would be in %s", failure.Error(), plan.Seconds(pause)))
			return
		}
		if err := t.sleep(ctx, pause); err != nil {
			r.undelivered(said, failure.Error())
			return
		}
	}
}

// prepareNotice evaluates and describes what tells people. Without an action it
// says why there is none; an empty why: nobody is to be told.
func (r *run) prepareNotice(t *task, ctx context.Context, n *runbook.Notice, summary string) (*action, string) {
	observer := r.root.observer
	x := eval.Extra{Roots: map[string]cty.Value{"run": eval.RunValue(r.opts.Run, cty.StringVal(summary))}}
	a, why, called := new(action), "", true
	err := t.aside(func() {
		if n.When != nil {
			truth, diags := observer.Scope.Condition(ctx, n.When, x)
			if called = truth == eval.True; diags.HasErrors() {
				why = "its when cannot be evaluated: " + plan.Explain(diags)
			}
			if !called {
				return
			}
		}
		var unknown []string
		var err error
		a.described, a.arguments, unknown, err = observer.Describe(ctx, n.Action, x)
		switch {
		case err != nil:
			why = err.Error()
		case len(unknown) > 0:
			why = fmt.Sprintf("not known: %v", unknown)
		default:
			why = plan.Untellable(n.Action, a.described)
		}
	})
	if err != nil {
		why = err.Error()
	}
	if why != "" || !called {
		return nil, why
	}
	return a, ""
}

// tryNotice makes one try, and says how it went; nil where it could not begin.
func (r *run) tryNotice(t *task, ctx context.Context, n *runbook.Notice, said event.Notice, key string, a *action) (*event.Attempt, *schema.Failure) {
	r.telling.tries[said.Address]++
	number := r.telling.tries[said.Address]
	attempt := event.Attempt{
		Number: number, Action: n.Action.Type(), Key: key, Lock: r.opts.Record.AttemptLock(said.Address, number),
		Settling: r.classOf(n.Action, a.described), Effects: a.described.Effects, Command: plan.Shell(a.described.Command),
	}
	bounded, cancel := clock.WithTimeout(ctx, r.clock, noticeTimeout, nil)
	defer cancel()
	op := schema.Operation{
		Name: n.Action.Name, Kind: schema.Action, Arguments: a.arguments, AttemptLock: attempt.Lock, Key: key,
		Handle: fmt.Sprintf("%s/%s/%d", r.opts.Run.ID, said.Address, number),
	}
	op.Deadline, _ = bounded.Deadline()
	started := attempt
	r.say(event.Event{Type: event.NoticeStarted, Notice: &said, Attempt: &started})
	begun := r.clock.Now()
	var o schema.Outcome
	if err := t.call(func() {
		o = r.opts.Backend.Act(bounded, r.root.linked.Ref(n.Action.Ref), op, func(schema.Progress) {})
	}); err != nil {
		return nil, &schema.Failure{Code: "no_record", Message: err.Error()}
	}
	if o.State == schema.Ask {
		o = schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "asks", Message: n.Action.Type() + " asks a person, and a " + n.Kind + " only tells"}}
	}
	if o.State != schema.Done && o.Failure == nil {
		o.Failure = &schema.Failure{Code: "unknown", Message: n.Action.Type() + " ended without a word"}
	}
	attempt.State, attempt.Failure = o.State, o.Failure
	r.telling.last[key] = attempt
	finished := attempt
	r.say(event.Event{
		Type: event.NoticeFinished, Notice: &said, Attempt: &finished, Message: word(o), DurationSeconds: max(0, r.clock.Now().Sub(begun).Seconds()),
	})
	return &attempt, o.Failure
}

// undelivered is a warning, and nothing more: nobody who cannot be told fails a
// run.
func (r *run) undelivered(n event.Notice, why string) {
	r.warn(fmt.Sprintf("%s has not told of %s: %s", n.Address, about(n), why))
}

// classOf is how an unknown outcome of an action is settled.
func (r *run) classOf(op *runbook.Operation, d schema.Description) schema.Settling {
	if d.Settling != "" {
		return d.Settling
	}
	// Schemas are recorded or in-process: reading one is no I/O worth a bound.
	provider, err := r.opts.Schemas.Schema(context.Background(), op.Provider)
	if err == nil {
		if spec := provider.Operation(schema.Action, op.Name); spec != nil {
			return spec.Settling
		}
	}
	return schema.Manual
}
