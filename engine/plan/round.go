package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Round shares equal probes: within one round each is asked once. The zero
// Round is ready; it must not be copied.
type Round struct {
	mu    sync.Mutex
	calls map[string]*call
}

type call struct {
	asked    context.Context // ends with the answer
	answered context.CancelFunc
	outcome  schema.Outcome
	err      error
}

func (r *Round) observe(ctx context.Context, o *Observer, op *runbook.Operation, arguments cty.Value, timeout time.Duration) (schema.Outcome, error) {
	ref := o.Frame.Ref(op.Ref)
	key := ref + "\x00" + op.Name + "\x00" + timeout.String() + "\x00" + fingerprint(arguments)
	if b, ok := o.Backend.(interface {
		// Apart tells looks apart that are not to be shared, equal or not.
		Apart(ctx context.Context, op *runbook.Operation) string
	}); ok {
		key += "\x00" + b.Apart(ctx, op)
	}
	c, first := r.call(key)
	if !first {
		_ = o.clock().Sleep(c.asked, math.MaxInt64) // somebody is at it: until there is an answer
		return c.outcome, c.err
	}
	defer c.answered()
	c.outcome, c.err = o.Backend.Observe(ctx, ref, schema.Operation{Name: op.Name, Kind: schema.Probe, Arguments: arguments, Timeout: timeout})
	c.err = late(ctx, c.err, timeout)
	return c.outcome, c.err
}

// late names the bound of a call where that is what ended it.
func late(ctx context.Context, err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("no answer within %s: %w", Seconds(timeout), err)
	}
	return err
}

// call is the one call under a key, and whether it has to be made.
func (r *Round) call(key string) (c *call, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c = r.calls[key]; c != nil {
		return c, false
	}
	if r.calls == nil {
		r.calls = make(map[string]*call)
	}
	c = new(call)
	c.asked, c.answered = context.WithCancel(context.Background())
	r.calls[key] = c
	return c, true
}

// fingerprint tells equal arguments from different ones. It is kept in memory
// only: it may hold secrets.
func fingerprint(v cty.Value) string {
	v, _ = v.UnmarkDeep()
	text, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
	if err != nil {
		return fmt.Sprintf("%p", &v)
	}
	return string(text)
}
