package apply

import (
	"encoding/json"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// say adds an event to those that are made durable, and then shown, before
// anything else begins. It returns its place in the record.
func (r *run) say(e event.Event) int64 {
	r.seq++
	e.FormatVersion = event.FormatVersion
	e.Seq = r.seq
	e.Time = r.clock.Now()
	e.Run = r.opts.Run.ID
	r.unsaid = append(r.unsaid, e)
	return e.Seq
}

// settle makes durable what was said, then shows it. A record that fails once
// is not tried again: what is said is still shown, nothing new starts.
func (r *run) settle() error {
	if len(r.unsaid) == 0 {
		return r.recordErr
	}
	said := r.unsaid
	r.unsaid = nil
	var facts []event.Event
	for _, e := range said {
		if e.Type != event.Log && e.Type != event.Progress {
			facts = append(facts, e)
		}
	}
	if r.recordErr == nil && len(facts) > 0 {
		if err := r.opts.Record.Append(facts...); err != nil {
			r.recordErr = fmt.Errorf("the record cannot be written: %w", err)
			r.root.stop(r.recordErr.Error())
			r.root.cancelLooks()
		}
	}
	for _, e := range said {
		if err := r.opts.Screen.Emit(e); err != nil {
			r.warn("the screen cannot be written: " + err.Error())
		}
	}
	return r.recordErr
}

// observed says what an assertion or capture of a step answered in the end.
func (r *run) observed(s *state, kind, name string, seen plan.Sighting, looks int, final bool) {
	e := observation(kind, name, seen, looks, final)
	e.Step = s.address
	e.Observation.TakesBack = s.rolling
	r.say(e)
}

func observation(kind, name string, seen plan.Sighting, looks int, final bool) event.Event {
	o := &event.Observation{Kind: kind, Name: name, Probe: seen.Probe, Message: seen.Reason, Looks: looks, Failure: seen.Failure, Final: final}
	if seen.Truth == plan.Holds || seen.Truth == plan.Fails {
		holds := seen.Truth == plan.Holds
		o.Holds = &holds
	}
	o.Result = encode(seen.Result)
	return event.Event{Type: event.Observed, Observation: o, Message: seen.Reason}
}

// progress says what a provider tells while it acts. It runs beside the loop.
func (r *run) progress(s *state, p schema.Progress) {
	r.loop.post(r.done, func() {
		e := event.Event{Type: event.Log, Step: s.address, Message: p.Message, Stream: p.Stream}
		if p.Total > 0 || p.Done > 0 {
			e.Type, e.Done, e.Total = event.Progress, p.Done, p.Total
		}
		if err := r.opts.Record.Log(s.address, p.Message); err != nil {
			r.unlogged(err)
		}
		r.say(e)
		_ = r.settle() // shown as it comes; a failure is kept in recordErr
	})
}

// unlogged is what follows where a step's log cannot be kept: nothing new
// starts, but what runs is drained, and how it ends is still recorded.
func (r *run) unlogged(err error) {
	if r.logErr == nil {
		r.logErr = fmt.Errorf("a log cannot be kept: %w", err)
		r.root.stop(r.logErr.Error())
	}
}

// encode keeps a value with its type. A value with a sensitive part is not
// kept: the record holds no secrets.
func encode(v cty.Value) json.RawMessage {
	if v == cty.NilVal || v.ContainsMarked() || !v.IsWhollyKnown() {
		return nil
	}
	text, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
	if err != nil {
		return nil
	}
	return text
}

// withoutSecrets is v with null in place of what is sensitive: an action is
// never done again for its result, so what can be kept of it is kept.
func withoutSecrets(v cty.Value) cty.Value {
	if v == cty.NilVal {
		return v
	}
	kept, err := cty.TransformWithTransformer(v, nulls{})
	if err != nil || kept.ContainsMarked() || kept.IsNull() {
		return cty.NilVal
	}
	return kept
}

type nulls struct{}

// Enter implements cty.Transformer.
func (nulls) Enter(_ cty.Path, v cty.Value) (cty.Value, error) {
	if v.IsMarked() {
		return cty.NullVal(v.Type()), nil
	}
	return v, nil
}

// Exit implements cty.Transformer.
func (nulls) Exit(_ cty.Path, v cty.Value) (cty.Value, error) { return v, nil }

// decode reads what encode kept; NilVal where there is nothing.
func decode(text json.RawMessage) cty.Value {
	if len(text) == 0 {
		return cty.NilVal
	}
	v, err := ctyjson.Unmarshal(text, cty.DynamicPseudoType)
	if err != nil {
		return cty.NilVal
	}
	return v
}
