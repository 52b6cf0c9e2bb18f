package host

import (
	"context"
	"fmt"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/providers/schema"
)

// instance is a provider with one configuration. Its process starts at the
// first call, and again at the first call after one that died.
type instance struct {
	host     *Host
	provider string
	config   cty.Value // unmarked
	slots    chan struct{}

	mu       sync.Mutex
	closed   bool
	starting *start
	current  *running
}

// start is one process being started, which any number of calls wait for.
type start struct {
	done    chan struct{}
	running *running // valid once done
	err     error
	caught  *clock.Panic
}

func newInstance(h *Host, provider string, config cty.Value) *instance {
	return &instance{host: h, provider: provider, config: config, slots: make(chan struct{}, maxConcurrent)}
}

// begin waits for a free slot and a running process; release gives the slot
// back. Nothing has been asked of the provider when it errs.
func (in *instance) begin(ctx context.Context) (r *running, release func(), err error) {
	select {
	case in.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, in.notBegun(ctx)
	}
	release = func() { <-in.slots }
	s := in.startOnce()
	select {
	case <-s.done:
		if s.caught != nil {
			panic(s.caught)
		}
		if s.err == nil {
			return s.running, release, nil
		}
		err = s.err
	case <-ctx.Done():
		err = in.notBegun(ctx)
	}
	release()
	return nil, nil, err
}

func (in *instance) notBegun(ctx context.Context) error {
	return &CallError{Cause: ctx.Err(), Failure: &schema.Failure{
		Code: "not_begun", Message: fmt.Sprintf("time was up before provider %s was asked: %v", in.provider, ctx.Err()),
	}}
}

// startOnce is the process that runs or is being started.
func (in *instance) startOnce() *start {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.current != nil && !in.current.dead():
		return settled(in.current, nil)
	case in.closed:
		return settled(nil, &schema.Failure{Code: "host_closed", Message: "the providers have been ended"})
	case in.starting != nil:
		return in.starting
	}
	s := &start{done: make(chan struct{})}
	died := in.current
	in.starting, in.current = s, nil
	go func() {
		s.caught = clock.Caught(func() {
			if died != nil {
				_ = died.close() // what is left of it on our side
			}
			s.running, s.err = in.host.launch(in.provider, in.config)
		})
		in.mu.Lock()
		in.starting, in.current = nil, s.running
		in.mu.Unlock()
		close(s.done)
	}()
	return s
}

func settled(r *running, err error) *start {
	s := &start{done: make(chan struct{}), running: r, err: err}
	close(s.done)
	return s
}

func (in *instance) close() error {
	in.mu.Lock()
	in.closed = true
	starting := in.starting
	in.mu.Unlock()
	if starting != nil {
		<-starting.done
	}
	in.mu.Lock()
	current := in.current
	in.current = nil
	in.mu.Unlock()
	if current == nil {
		return nil
	}
	err := current.close()
	if current.process != nil {
		in.host.logger.Named(in.provider).Debug("the provider has ended")
	}
	return err
}
