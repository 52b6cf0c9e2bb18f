package cli

import (
	"errors"
	"fmt"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
)

// sayWhereKept tells whoever is about to change something where the locks are
// that keep other runs away, and so which runs they do not keep away.
func (a *app) sayWhereKept(eng *engine.Engine, rb *runbook.Runbook, applying *engine.ApplyOptions, shown *screen) error {
	st, err := eng.StoreOf(rb)
	if err != nil {
		return err
	}
	if here, err := eng.Store(); err != nil || here.Dir() != st.Dir() {
		shown.store = st.Dir()
	}
	acts := false
	show, before := applying.Planned, shown.before
	applying.Planned = func(pl *plan.Plan) {
		show(pl)
		acts = pl.Outcome == plan.Changes && !shown.json
	}
	shown.before = func() {
		before()
		if acts {
			acts = false
			_ = ui.WriteAside(a.out, a.style(a.out), fmt.Sprintf(
				"Locks are in %s: runs kept elsewhere, as by another checkout, are not seen.", st.Dir()))
		}
	}
	return nil
}

// sayHowToReach tells how commands find a run, or the one in its way, that is
// kept in another store than they would look into.
func (s *screen) sayHowToReach(result engine.Result, err error) {
	var locked *store.LockedError
	if s.store == "" || result.Run == "" && !errors.As(err, &locked) {
		return
	}
	fmt.Fprintf(s.app.errOut, "The run is not in the store of this directory. For commands about it: export RUNBOOK_STORE=%s\n", ui.Quote(s.store))
}
