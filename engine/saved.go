package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
)

// maxSavedPlan is how large a saved plan may be that is read.
const maxSavedPlan = 64 << 20

// save keeps a plan in a file that only its owner may read.
func (e *Engine) save(ctx context.Context, s *session, p *plan.Plan, opts PlanOptions) (*plan.Saved, error) {
	start, err := e.start(ctx, s, p)
	if err != nil {
		return nil, err
	}
	start.Targets, start.Force = opts.Only, opts.Force
	saved := &plan.Saved{Version: e.opts.Version, ExpiresAt: e.clock.Now().Add(opts.ValidFor).UTC().Truncate(time.Second), Start: start, Plan: p}
	text, err := saved.Encode()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(opts.Out)
	if err != nil {
		return nil, fmt.Errorf("write plan: %w", err)
	}
	return saved, store.WriteFile(path, text)
}

// identities are the versions and hashes of all providers that are used, and
// those of their schemas.
func (e *Engine) identities(ctx context.Context, s *session) (map[string]string, error) {
	identities := make(map[string]string)
	for _, f := range s.frame.All() {
		for _, op := range f.Runbook.Operations() {
			if _, known := identities[op.Provider]; known {
				continue
			}
			identity, err := s.host.Identity(ctx, op.Provider)
			if err != nil {
				return nil, err
			}
			spec, err := s.host.Schema(ctx, op.Provider)
			if err != nil {
				return nil, err
			}
			text, err := json.Marshal(spec)
			if err != nil {
				return nil, fmt.Errorf("hash the schema of %s: %w", op.Provider, err)
			}
			identities[op.Provider] = fmt.Sprintf("%s, schema %.12x", identity, sha256.Sum256(text))
		}
	}
	return identities, nil
}

// ReadSaved reads a saved plan; nil where the file is something else. One that
// another version made is a *StaleError.
func (e *Engine) ReadSaved(path string) (*plan.Saved, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil // whoever reads it as a runbook reports it
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSavedPlan+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read plan: %w", err)
	case !plan.IsSaved(text):
		return nil, nil
	case len(text) > maxSavedPlan:
		return nil, errors.New("read plan: it is larger than 64 MiB")
	}
	saved, err := plan.DecodeSaved(text, e.opts.Version)
	var other *plan.OtherVersionError
	if errors.As(err, &other) {
		return nil, &StaleError{Grew: []string{other.Error()}}
	}
	return saved, err
}

// Saved loads the runbook that a saved plan is of, and refuses a plan that
// cannot become a run any more with a *StaleError: one that has expired, or whose
// files were edited. The runbook is nil where the file cannot be parsed.
func (e *Engine) Saved(ctx context.Context, saved *plan.Saved) (*runbook.Runbook, hcl.Diagnostics, error) {
	if now := e.clock.Now(); !now.Before(saved.ExpiresAt) {
		return nil, nil, &StaleError{Grew: []string{"it expired at " + saved.ExpiresAt.Format(time.RFC3339)}}
	}
	rb, diags := e.Validate(ctx, whereabouts(&saved.Start))
	if rb == nil || diags.HasErrors() {
		return rb, diags, nil
	}
	st, err := e.StoreOf(rb)
	if err != nil {
		return rb, diags, err
	}
	if used := st.PlanUsed(saved.Digest); used != nil {
		return rb, diags, used
	}
	redactor := redact.New()
	h := e.newHost(rb.Dir, redactor)
	defer h.Close()
	if changed := changes(rb.File, sources(rb, schemas{ctx, h}, redactor), &saved.Start); len(changed) > 0 {
		return rb, diags, &StaleError{Grew: []string{files(changed) + " changed since it was made"}}
	}
	return rb, diags, nil
}

// ApplySaved looks again and runs a saved plan, once. Of the options the inputs
// may only give sensitive values; what the plan is limited to is its own.
func (e *Engine) ApplySaved(ctx context.Context, rb *runbook.Runbook, saved *plan.Saved, opts ApplyOptions) (Result, hcl.Diagnostics, error) {
	inputs := opts.Inputs
	inputs.Environment = saved.Start.Environment
	var err error
	if inputs.Recorded, err = decodeVariables(saved.Start.Variables); err != nil {
		return Result{}, nil, err
	}
	s, diags := e.open(ctx, rb, inputs)
	if diags.HasErrors() {
		return Result{}, diags, nil
	}
	defer s.Close()
	if s.storeErr != nil {
		return Result{}, diags, s.storeErr
	}
	if err := declared(rb, slices.DeleteFunc(slices.Clone(opts.Approve), isAll)); err != nil {
		return Result{}, diags, err
	}
	now, err := e.identities(ctx, s)
	if err != nil {
		return Result{}, diags, err
	}
	if other := differ(saved.Start.Providers, now); len(other) > 0 {
		return Result{Plan: saved.Plan}, diags, &StaleError{Grew: other}
	}
	opts.Only, opts.Force = saved.Start.Targets, saved.Start.Force
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	p, err := e.plan(looking, s, PlanOptions{Only: opts.Only, Force: opts.Force, Progress: opts.Progress})
	if err := interruptedPlan(looking, err); err != nil {
		return Result{}, diags, err
	}
	if opts.Planned != nil {
		opts.Planned(p)
	}
	if grew := plan.Grew(saved.Plan, p); len(grew) > 0 {
		return Result{Plan: p}, diags, &StaleError{Grew: grew}
	}
	opts.saved, opts.approved = saved, true // whoever applies a saved plan means it
	result, err := e.run(ctx, s, p, opts)
	return result, diags, err
}

// differ names the providers that are not those that a plan was made with.
func differ(then, now map[string]string) []string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if then[name] != now[name] {
			said = append(said, fmt.Sprintf("provider %s is %s, and it was made with %s", name, now[name], then[name]))
		}
	}
	return said
}

// shown makes approvals that were given on the command line approvals of what a
// saved plan shows: of its effects, and its counts up to 110 %.
func shown(yes map[string][]apply.Approval, saved *plan.Saved) {
	if saved == nil {
		return
	}
	for i := range saved.Plan.Steps {
		step := &saved.Plan.Steps[i]
		given, named := yes[step.Address]
		if at, _, instance := strings.Cut(step.Address, "["); !named && instance {
			given, named = yes[at]
		}
		if !named || !step.Destructive {
			continue
		}
		seen := make([]apply.Approval, len(given))
		for i, a := range given {
			seen[i] = apply.Approval{All: a.All, Shown: true, Effects: step.Effects, Impact: step.Impact}
		}
		yes[step.Address] = seen
	}
}
