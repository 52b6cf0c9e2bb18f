package engine

import (
	"context"
	"sync"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/host"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// backend is the host as apply wants it.
type backend struct{ *host.Host }

// locks is a lease as apply wants it. Steps ask side by side.
type locks struct {
	lease *store.Lease
	mu    sync.Mutex
	held  []schema.Effect
	exact map[schema.Effect]bool // of held, so that what was planned is found at once
}

func newLocks(lease *store.Lease, held []schema.Effect) *locks {
	l := &locks{lease: lease, exact: make(map[schema.Effect]bool)}
	l.take(held)
	return l
}

func (l *locks) take(effects []schema.Effect) {
	l.held = append(l.held, effects...)
	for _, e := range effects {
		l.exact[e] = true
	}
}

// Extend implements apply.Locks: it takes what is not held yet and does not wait.
func (l *locks) Extend(effects []schema.Effect) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var more []schema.Effect
	for _, e := range effects {
		if e.Mode != schema.Read && !l.exact[e] && !plan.Allows(l.held, e) {
			more = append(more, e)
		}
	}
	if len(more) == 0 {
		return nil
	}
	if err := l.lease.Extend(context.Background(), more, 0); err != nil { // a short turn at a file of this machine
		return err
	}
	l.take(more)
	return nil
}

var (
	_ apply.Backend = backend{}
	_ apply.Record  = (*store.Run)(nil)
	_ apply.Locks   = (*locks)(nil)
)
