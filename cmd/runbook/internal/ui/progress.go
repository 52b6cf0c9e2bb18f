package ui

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Looking tells on a terminal or in a log that a plan is still looking at the
// systems, and at which step. It says nothing while looking is quick.
type Looking struct {
	w      io.Writer
	style  Style
	redraw bool // a terminal: one line, drawn over itself

	mu      sync.Mutex
	step    string
	started time.Time
	drawn   bool

	quit chan struct{}
	done chan struct{}
}

// How often Looking speaks, and not before when.
const (
	redrawEvery = 200 * time.Millisecond
	repeatEvery = 10 * time.Second
	quietFor    = time.Second
)

// StartLooking begins; Stop must be called.
func StartLooking(w io.Writer, style Style, terminal bool) *Looking {
	l := &Looking{
		w: w, style: style, redraw: terminal,
		started: time.Now(), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go l.speak()
	return l
}

// Step says what is looked at now. Safe for concurrent use.
func (l *Looking) Step(step string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step = step
}

// Stop ends it and takes its line away. It may be called more than once.
func (l *Looking) Stop() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	<-l.done
}

func (l *Looking) speak() {
	defer close(l.done)
	every := repeatEvery
	if l.redraw {
		every = redrawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-l.quit:
			if l.drawn {
				fmt.Fprint(l.w, "\r\x1b[K")
			}
			return
		case now := <-ticker.C:
			if elapsed := now.Sub(l.started); elapsed >= quietFor {
				l.say(elapsed)
			}
		}
	}
}

func (l *Looking) say(elapsed time.Duration) {
	l.mu.Lock()
	step := l.step
	l.mu.Unlock()
	text := fmt.Sprintf("still looking (%s)", duration(elapsed.Truncate(time.Second).Seconds()))
	if step != "" {
		text += ": " + oneLine(step)
	}
	if l.style.Width > 0 {
		text = shorten(text, l.style.Width-1)
	}
	if !l.style.Unicode {
		text = ascii(text)
	}
	if l.redraw {
		fmt.Fprintf(l.w, "\r\x1b[K%s", text)
		l.drawn = true
		return
	}
	fmt.Fprintln(l.w, text)
}
