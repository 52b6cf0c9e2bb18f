package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// ResumeOptions is what Resume may be told.
type ResumeOptions struct {
	ApplyOptions
	Resolve       map[string]string // step address → done, retry or fail
	AcceptChanges bool
	// Changed, if set, is told what was edited since the run was started, before
	// anything comes of it.
	Changed func([]Change)
}

// Change is a file of the runbook, or a provider, that is not what the run was
// started with.
type Change struct {
	File   string // from the folder of the runbook; of a provider: provider NAME
	Before string // its text, without secrets; empty where it was no part of the runbook; of a provider: its versions
	After  string // likewise now
}

// ChangedError means that the runbook or a provider is not what the run was
// started with.
type ChangedError struct {
	Run     string
	Changes []Change // at least one
}

// Error implements error.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s changed since run %s was started: look at the change, then resume with --accept-changes", files(e.Changes), e.Run)
}

// files names what was changed.
func files(changes []Change) string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.File
	}
	return strings.Join(names, ", ")
}

// ErrOver means that there is nothing left to resume.
var ErrOver = errors.New("the run has succeeded: there is nothing to resume")

// ErrBack means that a run was taken back: it does not go on.
var ErrBack = errors.New("the run was rolled back: start over with `runbook apply`")

// Resume goes on with a run: what its record says ended well stays, what nobody
// knows is settled, the rest is looked at anew. ref is an ID, a unique prefix,
// or last.
func (e *Engine) Resume(ctx context.Context, ref string, opts ResumeOptions) (Result, hcl.Diagnostics, error) {
	st, err := e.Store()
	if err != nil {
		return Result{}, nil, err
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return Result{}, nil, err
	}
	kept, err := st.OpenRun(id)
	if err != nil {
		return Result{}, nil, err
	}
	result, diags, err := e.resume(ctx, st, kept, id, opts)
	return result, diags, errors.Join(err, kept.Close())
}

// reopened is a run on record that is gone on with. Its session must be closed.
type reopened struct {
	history []event.Event
	s       *session
	start   event.Start // of the process that goes on with it
	only    map[string]bool
}

// reopen reads a run and what it was started with. It is nil where diags or the
// error say why not.
func (e *Engine) reopen(ctx context.Context, st *store.Store, history []event.Event, id string, opts *ResumeOptions) (r *reopened, diags hcl.Diagnostics, err error) {
	first, _ := bounds(history)
	if first == nil {
		return nil, nil, fmt.Errorf("run %s has no beginning on record, so nothing was started: `runbook locks release %[1]s` frees what it holds; then apply again", id)
	}
	rb, diags := e.Validate(ctx, whereabouts(first.Start))
	if rb == nil || diags.HasErrors() {
		return nil, diags, nil
	}
	inputs := opts.Inputs
	inputs.Environment = first.Start.Environment
	inputs.Recorded, err = decodeVariables(first.Start.Variables)
	if err != nil {
		return nil, diags, fmt.Errorf("resume %s: %w", id, err)
	}
	started := first.Start.StartedAt
	if started.IsZero() {
		started = first.Time
	}
	s, more := e.openRun(ctx, rb, inputs, id, started)
	diags = append(diags, more...)
	if diags.HasErrors() {
		return nil, diags, nil
	}
	defer func() {
		if r == nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.store = st
	start, err := e.start(ctx, s, nil)
	if err != nil {
		return nil, diags, err
	}
	then := accepted(history)
	changed := append(changes(rb.File, s.sources(ctx), then), replaced(then.Providers, start.Providers)...)
	if len(changed) > 0 && opts.Changed != nil {
		opts.Changed(changed)
	}
	if len(changed) > 0 && !opts.AcceptChanges {
		return nil, diags, &ChangedError{Run: id, Changes: changed}
	}
	named := slices.Concat(opts.Force, slices.DeleteFunc(slices.Clone(opts.Approve), isAll))
	if err := errors.Join(unresolvable(rb, opts.Resolve), declared(rb, named)); err != nil {
		return nil, diags, err
	}
	start.PlanDigest, start.Targets, start.Force, start.Steps = first.Start.PlanDigest, first.Start.Targets, first.Start.Force, first.Start.Steps
	if len(changed) == 0 {
		start.Sources, start.Digests, start.Providers = nil, nil, nil // they are on record
	}
	only, err := target(rb, start.Targets)
	if err != nil {
		return nil, diags, err
	}
	opts.Only, opts.Force = start.Targets, append(slices.Clone(opts.Force), start.Force...)
	start.Approved = approvedOnRecord(history)
	return &reopened{history: history, s: s, start: start, only: only}, diags, nil
}

func (e *Engine) resume(ctx context.Context, st *store.Store, kept *store.Run, id string, opts ResumeOptions) (Result, hcl.Diagnostics, error) {
	history, err := events(kept)
	if err != nil {
		return Result{}, nil, err
	}
	if _, finished := bounds(history); finished != nil {
		switch finished.Outcome {
		case apply.Succeeded:
			return Result{Run: id}, nil, ErrOver
		case apply.RolledBack:
			return Result{Run: id}, nil, ErrBack
		}
		if finished.Cancelled {
			return Result{}, nil, over(history, id)
		}
	}
	r, diags, err := e.reopen(ctx, st, history, id, &opts)
	if r == nil {
		return Result{}, diags, err
	}
	defer r.s.Close()
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	var p *plan.Plan // nil: the run has been said yes to, and goes on as it was planned
	if !r.start.Approved {
		var answer answer
		if p, answer, err = e.agree(looking, r.s, opts.ApplyOptions); err != nil {
			return Result{Plan: p}, diags, err
		}
		if answer == declined {
			return Result{Plan: p, Result: apply.Result{Outcome: Declined}}, diags, nil
		}
		r.start.Approved = answer == agreed
	}
	var writes []schema.Effect
	if p != nil {
		writes = lockable(p)
	} else {
		writes = e.remaining(looking, r, false)
	}
	result, err := e.goOn(ctx, looking, st, kept, r, p, writes, opts, false)
	return result, diags, err
}

// goOn takes the locks of a run on record and goes on with it, or takes back what
// it did.
func (e *Engine) goOn(ctx, looking context.Context, st *store.Store, kept *store.Run, r *reopened, p *plan.Plan, writes []schema.Effect, opts ResumeOptions, takeBack bool) (Result, error) {
	lease, p, err := e.acquire(looking, st.Acquire, r.s, p, writes, opts.ApplyOptions)
	if lease != nil {
		defer lease.Close() // what the run holds is given back by its end alone: see finish
	}
	if err != nil {
		return Result{Plan: p}, err
	}
	inbox, err := kept.Answers()
	if err != nil {
		return Result{}, err
	}
	kept.Hold(lease)
	if p != nil {
		r.start.PlanDigest = p.Digest
	}
	if p != nil && p.Outcome == plan.Blocked && plan.Stopper(p) != nil {
		applying := e.applyOptions(r.s, opts.ApplyOptions, kept, lease, writes, r.start, nil)
		applying.History = r.history
		return e.finish(ctx, r.s, p, kept, lease, apply.Refuse(ctx, applying, p))
	}
	applying := e.applyOptions(r.s, opts.ApplyOptions, kept, lease, writes, r.start, r.only)
	applying.History = r.history
	applying.Resolve = maps.Clone(opts.Resolve)
	applying.TakeBack = takeBack
	answered(&applying, saidTo(r.history, inbox))
	return e.finish(ctx, r.s, p, kept, lease, apply.Run(ctx, applying))
}

// looking is what apply needs of a run on record to look at it.
func (e *Engine) looking(r *reopened, resolve map[string]string) apply.Options {
	return apply.Options{
		Frame: r.s.frame, Run: r.s.run, Backend: backend{r.s.host}, Schemas: r.s.host, Clock: e.clock, Only: r.only, History: r.history, Resolve: resolve,
	}
}

// remaining is what the steps that a resume may still run are known to write.
func (e *Engine) remaining(ctx context.Context, r *reopened, takeBack bool) []schema.Effect {
	opts := e.looking(r, nil)
	opts.TakeBack = takeBack
	effects := apply.Remaining(ctx, opts)
	return slices.DeleteFunc(effects, func(effect schema.Effect) bool { return effect.Mode == schema.Read })
}

// unresolvable refuses words and steps that --resolve cannot mean.
func unresolvable(rb *runbook.Runbook, resolve map[string]string) error {
	for address, word := range resolve {
		switch word {
		case apply.ResolveDone, apply.ResolveRetry, apply.ResolveFail:
		default:
			return fmt.Errorf("--resolve %s=%s: want done, retry or fail", address, word)
		}
		if !rb.Has(address) {
			return fmt.Errorf("--resolve %s: there is no such step in %s", address, rb.File)
		}
	}
	return nil
}

// encodeVariables keeps the values that are not sensitive, with their types, of
// the runbook and of what it calls.
func encodeVariables(root *eval.Frame) (json.RawMessage, error) {
	kept := make(map[string]json.RawMessage)
	for _, f := range root.All() {
		for name, v := range f.Variables {
			if declared := f.Runbook.Variables[name]; declared == nil || declared.Sensitive || v.ContainsMarked() {
				continue
			}
			text, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
			if err != nil {
				return nil, fmt.Errorf("record variable %s: %w", name, err)
			}
			kept[eval.RecordedName(f.Address, name)] = text
		}
	}
	return json.Marshal(kept)
}

func decodeVariables(text json.RawMessage) (map[string]cty.Value, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var kept map[string]json.RawMessage
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("read the recorded variables: %w", err)
	}
	values := make(map[string]cty.Value, len(kept))
	for name, text := range kept {
		v, err := ctyjson.Unmarshal(text, cty.DynamicPseudoType)
		if err != nil {
			return nil, fmt.Errorf("read the recorded variable %s: %w", name, err)
		}
		values[name] = v
	}
	return values, nil
}
