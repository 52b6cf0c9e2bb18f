package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals tells what the terminal and the system want of this process.
type signals struct {
	interrupt chan struct{} // closed by the first SIGINT or SIGTERM
	kill      chan struct{} // closed by the second
	stop      func()
}

// watchSignals takes over the signals until stop is called. SIGHUP and SIGPIPE
// stop nothing: a run outlives its terminal and the reader of its output. They
// are caught rather than ignored, since children would inherit ignoring.
func watchSignals() *signals {
	s := &signals{interrupt: make(chan struct{}), kill: make(chan struct{})}
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		defer close(done)
		seen := 0
		for sig := range caught {
			if sig != syscall.SIGINT && sig != syscall.SIGTERM {
				continue
			}
			switch seen++; seen {
			case 1:
				close(s.interrupt)
			case 2:
				close(s.kill)
			}
		}
	}()
	s.stop = func() {
		signal.Stop(caught)
		close(caught)
		<-done
	}
	return s
}

// context is cancelled by the first SIGINT or SIGTERM: for commands that only
// look.
func (s *signals) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.interrupt:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}
