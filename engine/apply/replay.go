package apply

import (
	"math"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// past is what the record says of a step, row 24, until it is taken up.
type past []*event.Event

// replay reads the record of earlier processes. What it says of a step is taken
// up by recall.
func (r *run) replay(history []event.Event) {
	if len(history) == 0 {
		return
	}
	if r.opts.TakeBack {
		r.root.backAt = math.MaxInt64 // all that is on record
	}
	sightings := make(map[string]map[string]plan.Sighting) // by frame and check
	asked := askedIn(history)
	var causes []*event.Event // because of which what was done is taken back
	for i := range history {
		e := &history[i]
		r.seq = max(r.seq, e.Seq)
		if e.Rollback != "" && e.Type == event.StepFinished {
			causes = append(causes, e)
		}
		switch {
		case e.Type == event.RunStarted && e.Start.TakeBack:
			r.opts.Start.TakeBack, r.opts.TakeBack = true, true
			if r.root.backAt == 0 {
				r.root.backAt = e.Seq
			}
			continue
		case e.Type == event.Observed && e.Observation.Kind == "check":
			if sightings[e.Step] == nil {
				sightings[e.Step] = make(map[string]plan.Sighting)
			}
			sightings[e.Step][e.Observation.Name] = sighting(e.Observation)
			continue
		case e.Step == "":
			continue
		case e.Type == event.ActionStarted && !asked[attemptOf(e)]:
			r.intended(e.Attempt, 1)
			r.enter(e.Step)
		}
		if r.past[e.Step] == nil {
			r.instance(e.Step)
		}
		r.overtake(e.Step)
		r.past[e.Step] = append(r.past[e.Step], e)
	}
	r.abandon(history)
	r.bringBack(causes)
	for _, f := range r.root.all() {
		if r.acted() {
			f.diagnosis = plan.NewDiagnosis(f.linked, sightings[f.linked.Address])
		}
		if f.outer != nil && f.late > 0 {
			f.stop("an always step has run after " + f.linked.Address + " stopped: start over with `runbook apply`")
		}
	}
	for _, s := range r.root.steps {
		r.recall(s)
	}
	if r.root.late > 0 {
		r.root.stop("an always step has run after the run stopped: start over with `runbook apply`")
	}
	r.opts.Start.Resumed = true
}

// bringBack has what was done taken back where that was decided on record, or a
// person wants it now.
func (r *run) bringBack(causes []*event.Event) {
	if r.opts.TakeBack {
		r.root.back = event.RollbackByHand
		r.root.stop("the run is taken back")
	}
	for _, e := range causes {
		at, err := address.Parse(e.Rollback)
		if err != nil {
			continue // by hand
		}
		of := "" // the frame of the step
		if parts := at.Parts(); len(parts) > 1 {
			of = address.Of(parts[:len(parts)-1]...).String()
		}
		for _, f := range r.root.all() {
			if f.back == "" && f.linked.Address == of {
				f.back, f.backAt = e.Rollback, e.Seq
				f.stop(stopped(e.Rollback, e.Status) + ": " + e.Message)
			}
		}
	}
}

// attempt names an attempt in the record.
type attempt struct {
	step   string
	number int
}

func attemptOf(e *event.Event) attempt { return attempt{e.Step, e.Attempt.Number} }

// askedIn are the attempts that came to no more than a question.
func askedIn(history []event.Event) map[attempt]bool {
	asked := map[attempt]bool{}
	for i := range history {
		if e := &history[i]; e.Type == event.ActionFinished && e.Attempt.State == schema.Ask {
			asked[attemptOf(e)] = true
		}
	}
	return asked
}

// instance notes the first word of an instance.
func (r *run) instance(step string) {
	if !strings.HasSuffix(step, "]") {
		return
	}
	at, err := address.Parse(step)
	if err != nil {
		return
	}
	parts := at.Parts()
	last := parts[len(parts)-1]
	whole := address.Of(append(slices.Clone(parts[:len(parts)-1]), address.Part{Name: last.Name})...).String()
	r.keys[whole] = append(r.keys[whole], last.Key)
}

// overtake forgets how steps with a for_each had ended that did not come to their
// instances, once there is word of an instance, or of what one calls.
func (r *run) overtake(step string) {
	for at := 0; ; at++ {
		next := strings.IndexByte(step[at:], '[')
		if next < 0 {
			return
		}
		at += next
		delete(r.past, step[:at])
	}
}

// enter notes that a step has an attempt on record: of which step it is an
// instance, and which calls it is part of.
func (r *run) enter(step string) {
	at, err := address.Parse(step)
	if err != nil {
		return
	}
	for parts := at.Parts(); len(parts) > 0; parts = parts[:len(parts)-1] {
		if len(parts) < len(at.Parts()) {
			r.calls[address.Of(parts...).String()] = true
		}
		last := parts[len(parts)-1]
		if last.Which != address.One {
			continue
		}
		key := last.Key
		of := address.Of(append(slices.Clone(parts[:len(parts)-1]), address.Part{Name: last.Name})...).String()
		if !slices.Contains(r.begun[of], key) {
			r.begun[of] = append(r.begun[of], key)
		}
	}
}
