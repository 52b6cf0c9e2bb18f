package apply

import (
	"context"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
)

// loop runs tasks like coroutines: the code of no two tasks ever overlaps, so
// they share state without locks. What blocks — a provider's call, a pause —
// runs beside the loop and comes back as a completion. Before any such call is
// begun, settle is called, once for all that is about to begin: what tasks have
// said by then is durable before anything acts on it.
//
// By a virtual clock what runs beside the loop takes turns, time passes only
// when no task is ready, and completions come in order of time, then of source:
// the same inputs give the same events.
type loop struct {
	clock   clock.Clock
	virtual *clock.Virtual // clock, where it is one
	settle  func() error   // makes durable what was said; its error is handed to every call not yet begun
	ready   []*task
	calls   []pendingCall
	inbox   chan func() // completions and posts, run on the loop
	parked  chan struct{}
	waiting int      // calls begun and not completed
	heeds   []func() // what looks for signals before a completion counts
}

// task is one coroutine. Tasks that become ready at once run in their order.
type task struct {
	loop   *loop
	order  int
	resume chan struct{}
	panics *clock.Panic
}

type pendingCall struct {
	task  *task
	fn    func()
	err   *error
	aside bool // it touches nothing: the record need not be settled first
}

func newLoop(c clock.Clock, settle func() error) *loop {
	virtual, _ := c.(*clock.Virtual)
	return &loop{clock: c, virtual: virtual, settle: settle, inbox: make(chan func(), 64), parked: make(chan struct{})}
}

// spawn makes a task ready. It begins with the next turn of the loop.
func (l *loop) spawn(order int, body func(*task)) {
	t := &task{loop: l, order: order, resume: make(chan struct{})}
	go func() {
		<-t.resume
		defer func() { l.parked <- struct{}{} }()
		t.panics = clock.Caught(func() { body(t) })
	}()
	l.wake(t)
}

// wake makes a parked task ready.
func (l *loop) wake(t *task) { l.ready = append(l.ready, t) }

// post runs fn on the loop soon. It may be called from anywhere until the loop
// has ended; done is closed then and fn is dropped.
func (l *loop) post(done <-chan struct{}, fn func()) {
	select {
	case l.inbox <- fn:
	case <-done:
	}
}

// heed calls do on the loop once a signal has come, and before any completion that
// the signal's own consequences may have brought about; by a virtual clock before
// time passes. What may be done from anywhere does not wait for the loop: it must
// not matter how often it is done.
func (l *loop) heed(signal, done <-chan struct{}, anywhere bool, do func()) {
	heeded := false // belongs to the loop
	once := func() {
		if !heeded {
			heeded = true
			do()
		}
	}
	l.heeds = append(l.heeds, func() {
		select {
		case <-signal:
			once()
		default:
		}
	})
	go func() {
		select {
		case <-signal:
		case <-done:
			return
		}
		if anywhere {
			do()
			return
		}
		l.post(done, once)
	}()
}

// run goes on until no task is ready and no call is under way.
func (l *loop) run() {
	for {
		for len(l.ready) > 0 {
			batch := l.ready
			l.ready = nil
			slices.SortStableFunc(batch, func(a, b *task) int { return a.order - b.order })
			for _, t := range batch {
				t.resume <- struct{}{}
				<-l.parked
				if t.panics != nil {
					panic(t.panics)
				}
			}
		}
		calls := l.calls
		l.calls = nil
		var err error
		if !slices.ContainsFunc(calls, func(c pendingCall) bool { return c.aside }) || len(calls) > 1 {
			err = l.settle()
		}
		for _, c := range calls {
			l.begin(c, err)
		}
		if len(l.ready) > 0 {
			continue
		}
		if l.waiting == 0 {
			return
		}
		for _, fn := range l.completions() {
			fn()
		}
	}
}

// completions waits for what comes next, and takes with it what is there.
func (l *loop) completions() []func() {
	taken := slices.Clone(l.heeds)
	if l.virtual == nil {
		taken = append(taken, <-l.inbox)
	} else {
		taken = append(taken, l.turn()...)
	}
	for {
		select {
		case fn := <-l.inbox:
			taken = append(taken, fn)
		default:
			return taken
		}
	}
}

// turn is one turn of a virtual clock, with what is posted meanwhile.
func (l *loop) turn() []func() {
	ended := make(chan bool, 1)
	wait := clock.Beside(func() {
		went := false
		defer func() { ended <- went }()
		went = l.virtual.Turn()
	})
	var taken []func()
	for {
		select {
		case fn := <-l.inbox:
			taken = append(taken, fn)
		case went := <-ended:
			wait()
			if !went { // only what is no part of the rehearsal can go on
				taken = append(taken, <-l.inbox)
			}
			return taken
		}
	}
}

func (l *loop) begin(c pendingCall, err error) {
	if err != nil {
		*c.err = err
		l.wake(c.task)
		return
	}
	l.waiting++
	work := func() {
		panicked := clock.Caught(c.fn)
		l.inbox <- func() {
			if panicked != nil {
				panic(panicked) // where the program reports its own bugs
			}
			l.waiting--
			l.wake(c.task)
		}
	}
	if l.virtual != nil {
		l.virtual.Go(c.task.order, work)
		return
	}
	go work()
}

// park lets others run until somebody wakes the task.
func (t *task) park() {
	t.loop.parked <- struct{}{}
	<-t.resume
}

// call runs fn beside the loop once everything said so far is durable, and
// returns when it is done. The error is the record's: fn was not begun.
func (t *task) call(fn func()) error {
	var err error
	t.loop.calls = append(t.loop.calls, pendingCall{task: t, fn: fn, err: &err})
	t.park()
	return err
}

// aside is call for what looks at nothing and changes nothing: alone, it is
// begun without making durable what was said. A chain of steps so needs one
// turn at the disk for each action, not two.
func (t *task) aside(fn func()) error {
	var err error
	t.loop.calls = append(t.loop.calls, pendingCall{task: t, fn: fn, err: &err, aside: true})
	t.park()
	return err
}

// sleep pauses the task for d, or until ctx is done.
func (t *task) sleep(ctx context.Context, d time.Duration) error {
	var slept error
	if err := t.call(func() { slept = t.loop.clock.Sleep(ctx, d) }); err != nil {
		return err
	}
	return slept
}

// each runs n bodies side by side as tasks of the same order and returns when
// all have ended.
func (t *task) each(n int, body func(t *task, i int)) {
	if n == 1 {
		body(t, 0)
		return
	}
	left := n
	for i := range n {
		t.loop.spawn(t.order, func(child *task) {
			body(child, i)
			if left--; left == 0 {
				t.loop.wake(t)
			}
		})
	}
	if n > 0 {
		t.park()
	}
}
