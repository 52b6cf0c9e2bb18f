package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/plan"
)

// confirm asks a person about a whole plan, which they have been shown.
func (a *app) confirm(*plan.Plan) (bool, error) {
	ctx, cancel := a.context()
	defer cancel()
	answer, err := a.ask(ctx, nil, "\nDo this? Only yes is taken for it:")
	if ctx.Err() != nil {
		return false, engine.ErrInterrupted
	}
	return answer == "yes", err
}

// askStep asks a person about one step. A destructive one wants its name typed:
// habit types yes, but not a name.
func (a *app) askStep(ctx context.Context, q apply.Question) (bool, error) {
	want, prompt := "yes", "Go on? Only yes is taken for it:"
	if q.Destructive {
		want = strings.TrimPrefix(q.Step, "step.")
		prompt = fmt.Sprintf("This destroys. Type %s to go on:", want)
	}
	show := func() {
		_ = ui.WriteQuestion(a.errOut, a.style(a.errOut), ui.Question(q)) // a lost stderr shows as no answer
	}
	answer, err := a.ask(ctx, show, prompt)
	if err == nil && answer != want {
		fmt.Fprintf(a.errOut, "%q is not %s: the step is left as it is.\n", answer, want)
	}
	return answer == want, err
}
