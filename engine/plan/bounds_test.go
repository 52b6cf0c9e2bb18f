package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mute is a backend in which one call never answers: it takes as long as it may.
type mute struct {
	world
	call string
	t    *testing.T
}

func (m *mute) after(call string, op schema.Operation, bound time.Duration) error {
	if call != m.call {
		return nil
	}
	if op.Timeout != bound {
		m.t.Errorf("%s is bounded by %v", call, op.Timeout)
	}
	return fmt.Errorf("asked: %w", context.DeadlineExceeded)
}

func (m *mute) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	if err := m.after("describe", op, 10*time.Second); err != nil {
		return schema.Description{}, err
	}
	return m.world.Describe(ctx, ref, op)
}

func (m *mute) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	if err := m.after("preview", op, 30*time.Second); err != nil {
		return schema.Description{}, err
	}
	return m.world.Preview(ctx, ref, op)
}

func (m *mute) Observe(ctx context.Context, ref string, op schema.Operation) (schema.Outcome, error) {
	if err := m.after("observe", op, 10*time.Second); err != nil {
		return schema.Outcome{}, err
	}
	return m.world.Observe(ctx, ref, op)
}

// Nothing that a plan asks a provider is waited for without end.
func TestEveryQuestionIsBounded(t *testing.T) {
	for call, want := range map[string]struct{ decision, why string }{
		"describe": {"blocked", "fake.set: no answer within 10s: asked"},
		"preview":  {"run", "no preview: fake.set: no answer within 30s: asked"},
		"observe":  {"blocked", "fake.get could not look: no answer within 10s: asked"},
	} {
		t.Run(call, func(t *testing.T) {
			m := &mute{world: world{on: set("p"), looks: map[string]int{}}, call: call, t: t}
			p, err := plan.Make(t.Context(), frame(t, load(t, step("a", pre+act))), plan.Options{Backend: m, Schemas: m})
			if err != nil {
				t.Fatal(err)
			}
			s := p.Steps[0]
			said := strings.Join(append([]string{s.Reason}, s.Warnings...), "; ")
			if s.Decision != want.decision || !strings.Contains(said, want.why) {
				t.Errorf("%s: %s", s.Decision, said)
			}
		})
	}
}
