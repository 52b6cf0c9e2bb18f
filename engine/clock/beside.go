package clock

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// Panic is a panic of something that ran beside its caller, raised again there:
// where it happened nobody could report it.
type Panic struct {
	Value   any
	Callers []uintptr // where it happened, as of runtime.Callers
}

// String is for a panic that nobody reports. The value may hold a secret.
func (p *Panic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v, raised", p.Value)
	for frames := runtime.CallersFrames(p.Callers); ; {
		frame, more := frames.Next()
		fmt.Fprintf(&b, "\n\tat %s (%s:%d)", frame.Function, frame.File, frame.Line)
		if !more {
			return b.String()
		}
	}
}

// Caught calls fn and returns its panic; nil: it has returned.
func Caught(fn func()) (caught *Panic) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case *Panic:
			caught = value // of what ran beside fn
		default:
			callers := make([]uintptr, 64)
			caught = &Panic{Value: value, Callers: callers[:runtime.Callers(3, callers)]}
		}
	}()
	fn()
	return nil
}

// Beside calls fn beside its caller, who must call wait: it returns once fn has,
// or raises its panic again.
func Beside(fn func()) (wait func()) {
	ended := make(chan *Panic, 1)
	go func() {
		var caught *Panic
		defer func() { ended <- caught }()
		caught = Caught(fn)
	}()
	return sync.OnceFunc(func() {
		if caught := <-ended; caught != nil {
			panic(caught)
		}
	})
}

// Together calls fn with 0 to n-1 side by side and returns when all have
// returned. By a virtual clock they take turns, in that order. If some panic, the
// panic of the first of them is raised again then.
func Together(c Clock, n int, fn func(i int)) {
	panics := make([]*Panic, n)
	part := func(i int) { panics[i] = Caught(func() { fn(i) }) }
	if v, ok := c.(*Virtual); ok {
		v.together(n, part)
	} else {
		var parts sync.WaitGroup
		for i := range n {
			parts.Go(func() { part(i) })
		}
		parts.Wait()
	}
	for _, caught := range panics {
		if caught != nil {
			panic(caught)
		}
	}
}
