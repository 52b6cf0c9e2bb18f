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

// Change is a file of the runbook that is not what the run was started with.
type Change struct {
	File   string // from the folder of the runbook
	Before string // its text, without secrets; empty where it was no part of the runbook
	After  string // likewise now
}

// ChangedError means that the runbook is not what the run was started with.
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

func (e *Engine) resume(ctx context.Context, st *store.Store, kept *store.Run, id string, opts ResumeOptions) (Result, hcl.Diagnostics, error) {
	history, err := events(kept)
	if err != nil {
		return Result{}, nil, err
	}
	first, finished := bounds(history)
	if first == nil {
		return Result{}, nil, fmt.Errorf("run %s has no beginning on record, so nothing was started: `runbook locks release %[1]s` frees what it holds; then apply again", id)
	}
	if finished != nil && finished.Outcome == apply.Succeeded {
		return Result{Run: id}, nil, ErrOver
	}
	rb, diags := e.Validate(ctx, whereabouts(first.Start))
	if rb == nil || diags.HasErrors() {
		return Result{}, diags, nil
	}
	inputs := opts.Inputs
	inputs.Environment = first.Start.Environment
	inputs.Recorded, err = decodeVariables(first.Start.Variables)
	if err != nil {
		return Result{}, diags, fmt.Errorf("resume %s: %w", id, err)
	}
	started := first.Start.StartedAt
	if started.IsZero() {
		started = first.Time
	}
	s, more := e.openRun(ctx, rb, inputs, id, started)
	diags = append(diags, more...)
	if diags.HasErrors() {
		return Result{}, diags, nil
	}
	defer s.Close()
	s.store = st
	changed := changes(rb.File, s.sources(ctx), accepted(history))
	if len(changed) > 0 && opts.Changed != nil {
		opts.Changed(changed)
	}
	if len(changed) > 0 && !opts.AcceptChanges {
		return Result{}, diags, &ChangedError{Run: id, Changes: changed}
	}
	named := slices.Concat(opts.Force, slices.DeleteFunc(slices.Clone(opts.Approve), isAll))
	if err := errors.Join(unresolvable(rb, opts.Resolve), declared(rb, named)); err != nil {
		return Result{}, diags, err
	}
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	start, err := e.start(ctx, s, nil)
	if err != nil {
		return Result{}, diags, err
	}
	start.PlanDigest, start.Targets, start.Force, start.Steps = first.Start.PlanDigest, first.Start.Targets, first.Start.Force, first.Start.Steps
	if len(changed) == 0 {
		start.Sources, start.Digests = nil, nil // they are on record
	}
	only, err := target(rb, start.Targets)
	if err != nil {
		return Result{}, diags, err
	}
	opts.Only, opts.Force = start.Targets, append(slices.Clone(opts.Force), start.Force...)
	start.Approved = approvedOnRecord(history)
	var p *plan.Plan // nil: the run has been said yes to, and goes on as it was planned
	if !start.Approved {
		var answer answer
		if p, answer, err = e.agree(looking, s, opts.ApplyOptions); err != nil {
			return Result{Plan: p}, diags, err
		}
		if answer == declined {
			return Result{Plan: p, Result: apply.Result{Outcome: Declined}}, diags, nil
		}
		start.Approved, start.PlanDigest = answer == agreed, p.Digest
	}
	var writes []schema.Effect
	if p != nil {
		writes = lockable(p)
	} else {
		writes = e.remaining(looking, s, history, only)
	}
	lease, err := acquire(looking, st, e.holder(s), writes, opts.LockTimeout)
	if err != nil {
		return Result{}, diags, err
	}
	defer lease.Close() // what the run holds is given back by its end alone: see finish
	answers, err := kept.Answers()
	if err != nil {
		return Result{}, diags, err
	}
	kept.Hold(lease)
	if p != nil && p.Outcome == plan.Blocked && plan.Stopper(p) != nil {
		start.Resumed = true
		result, err := e.recordBlocked(s, p, kept, start, history[len(history)-1].Seq, opts.Screen)
		return result, diags, errors.Join(err, lease.Release(ctx))
	}
	applying := e.applyOptions(s, opts.ApplyOptions, kept, lease, writes, start, only)
	applying.History = history
	applying.Resolve = maps.Clone(opts.Resolve)
	answered(&applying, history, answers)
	result, err := e.finish(ctx, s, p, kept, lease, apply.Run(ctx, applying))
	return result, diags, err
}

// remaining is what the steps that a resume may still run are known to write.
func (e *Engine) remaining(ctx context.Context, s *session, history []event.Event, only map[string]bool) []schema.Effect {
	effects := apply.Remaining(ctx, apply.Options{
		Frame: s.frame, Run: s.run, Backend: backend{s.host}, Schemas: s.host, Clock: e.clock, Only: only, History: history,
	})
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
