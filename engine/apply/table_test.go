package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// The columns of the decision table. A resume is an apply with a record.
const (
	atPlan   = "plan"
	atApply  = "apply"
	atResume = "resume"
)

// entries are the rows that have an entry in a column of the decision table of
// engine.md. Row 24 is of a resume only; what a row says of deferring happens at
// plan only, since at apply everything is known.
func entries() map[string][]int {
	return map[string][]int{
		atPlan:   {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19},
		atApply:  {1, 3, 4, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23},
		atResume: {24},
	}
}

// entry is a row of the decision table with what plan and apply say of step.x.
type entry struct {
	row    int
	name   string
	source string
	world  func(*tabled) // what it is like in the beginning
	again  func(*tabled) // what has changed before the resume

	plan, apply, resume *verdict
}

// says is what is wanted in a column; nil: it is no case of that.
func (e *entry) says(column string) *verdict {
	return map[string]*verdict{atPlan: e.plan, atApply: e.apply, atResume: e.resume}[column]
}

// verdict is what was said of step.x, and what was called for it.
type verdict struct {
	Said      string // the decision; at apply the status, empty while it waits
	Row       int    // on record: rows 7, 9, 14 and 16 to 18 may go on to a later one
	Reason    string
	Tentative bool
	Asks      bool     // at plan: a person will be asked
	Warnings  []string // at plan, of the step; at apply, of the run
	Outcome   string   // of the plan or the run
	Effects   string   // at plan: what it would touch
	Value     string   // at plan: what a capture read
	Called    string   // for step.x and the checks, in order
}

// rows are all cases, in the order of the table.
func rows() []entry {
	return slices.Concat(rowsBefore(), rowsOfGoals(), rowsOfPreconditions(), rowsOfCaptures(), rowsOfArguments(), rowsOfWaiting(), rowsOfOutcomes(), rowsOfUnknown(), rowsOfFallbacks(), rowsOfResume())
}

func TestTable(t *testing.T) {
	for _, e := range rows() {
		for _, column := range []string{atPlan, atApply, atResume} {
			want := e.says(column)
			if want == nil {
				continue
			}
			t.Run(fmt.Sprintf("row_%02d_at_%s_%s", e.row, column, strings.ReplaceAll(e.name, " ", "_")), func(t *testing.T) {
				got := newTabled(t, &e).say(column)
				if diff := cmp.Diff(*want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Every entry of the table in the design has a case.
func TestTableIsWhole(t *testing.T) {
	cases := map[string]map[int]bool{atPlan: {}, atApply: {}, atResume: {}}
	for _, e := range rows() {
		for column := range cases {
			cases[column][e.row] = cases[column][e.row] || e.says(column) != nil
		}
	}
	for column, rows := range entries() {
		for _, row := range rows {
			if !cases[column][row] {
				t.Errorf("row %d has no case at %s", row, column)
			}
		}
	}
}

// tabled is a trial on virtual time whose world keeps account of what it is
// asked, and which another run shares.
type tabled struct {
	*trial
	entry   *entry
	virtual *clock.Virtual
	called  []string
	xKeys   []string        // of the attempts at step.x
	down    map[string]bool // what cannot be looked at or previewed, by name
	invalid bool            // Describe refuses the arguments
	others  time.Duration   // how long another run holds what would be written
}

func newTabled(t *testing.T, e *entry) *tabled {
	tr := newTrial(t, e.source)
	w := &tabled{trial: tr, entry: e, virtual: clock.NewVirtual(tr.opts.Run.StartedAt), down: map[string]bool{}}
	tr.clock, tr.opts.Clock, tr.opts.Backend, tr.opts.Locks = w.virtual, w.virtual, w, w
	if e.world != nil {
		e.world(w)
	}
	return w
}

// say makes a plan, or runs, and tells what was said of step.x.
func (w *tabled) say(column string) verdict {
	switch column {
	case atPlan:
		return w.planned()
	case atApply:
		return w.applied(w.run())
	}
	w.run()
	w.called = nil
	w.entry.again(w)
	return w.applied(w.trial.again())
}

func (w *tabled) planned() verdict {
	var p *plan.Plan
	var err error
	w.virtual.Run(func() {
		p, err = plan.Make(w.t.Context(), w.opts.Frame, plan.Options{Run: w.opts.Run, Backend: w, Schemas: w, Clock: w.virtual, Locked: w.locked})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Address == "step.x" || s.Address == "step.x[*]" {
			return verdict{
				Said: s.Decision, Row: s.Row, Reason: w.placed(s.Reason), Tentative: s.Tentative, Asks: s.Approval, Warnings: s.Warnings,
				Outcome: p.Outcome, Effects: listed(s.Effects), Value: s.Value, Called: strings.Join(w.called, ", "),
			}
		}
	}
	w.t.Fatal("the plan has no step.x")
	return verdict{}
}

func (w *tabled) applied(r apply.Result) verdict {
	v := verdict{Warnings: r.Warnings, Outcome: r.Outcome, Called: strings.Join(w.called, ", ")}
	for _, s := range r.Steps {
		if s.Address == "step.x" {
			v.Said, v.Reason = s.Status, w.placed(s.Reason)
		}
	}
	for _, e := range w.record.events {
		switch {
		case e.Step != "step.x":
		case e.Type == event.StepFinished:
			v.Row = e.Row
		case v.Said == "" && e.Type == event.StepWaiting:
			v.Reason = e.WaitsFor + ": " + e.Message
		}
	}
	return v
}

// placed is a text without the folder of this test's runbook.
func (w *tabled) placed(text string) string { return strings.ReplaceAll(text, w.rb.Dir+"/", "") }

func listed(effects []schema.Effect) string {
	var said []string
	for _, e := range effects {
		said = append(said, string(e.Mode)+" "+e.Resource)
	}
	return strings.Join(said, ", ")
}

// note keeps account of a call for step.x or a check.
func (w *tabled) note(ctx context.Context, what string) {
	place := plan.Places(ctx)[0]
	if name, ok := strings.CutPrefix(place, "step."); ok {
		if name != "x" && !strings.HasPrefix(name, "x.") && !strings.HasPrefix(name, "x[") {
			return
		}
		place = name
	}
	w.called = append(w.called, what+" "+place)
}

// noteAct keeps account of an attempt, with a mark for each change of its key.
func (w *tabled) noteAct(ctx context.Context, key string) {
	before := len(w.called)
	w.note(ctx, "act")
	if len(w.called) == before {
		return
	}
	at := slices.Index(w.xKeys, key)
	if at < 0 {
		at, w.xKeys = len(w.xKeys), append(w.xKeys, key)
	}
	w.called[before] += strings.Repeat("'", at)
}

func (w *tabled) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	w.note(ctx, "describe")
	if len(op.Unknown) > 0 {
		return schema.Description{Effects: []schema.Effect{{Resource: "fake://host", Mode: schema.Write}}}, nil
	}
	d, err := w.world.Describe(ctx, ref, op)
	if w.invalid {
		d.Failure = &schema.Failure{Code: "invalid_argument", Message: "no such switch"}
	}
	return d, err
}

func (w *tabled) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	w.note(ctx, "preview")
	d, err := w.world.Preview(ctx, ref, op)
	if w.down["preview of "+text(op.Arguments, "name")] {
		return d, errors.New("refused")
	}
	return d, err
}

func (w *tabled) Observe(ctx context.Context, ref string, op schema.Operation) (schema.Outcome, error) {
	w.note(ctx, "look")
	if name := text(op.Arguments, "name"); w.down[name] {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: name + " refused"}}, nil
	}
	if name := text(op.Arguments, "name"); w.observe == nil && w.values[name] == "" {
		return answer(false, name+" is off", ""), nil
	}
	return w.world.Observe(ctx, ref, op)
}

func (w *tabled) Act(ctx context.Context, ref string, op schema.Operation, progress func(schema.Progress)) schema.Outcome {
	w.noteAct(ctx, op.Key)
	return w.world.Act(ctx, ref, op, progress)
}

func (w *tabled) Settle(ctx context.Context, ref string, op schema.Operation) schema.Outcome {
	w.note(ctx, "settle")
	return w.world.Settle(ctx, ref, op)
}

// locked tells who holds what step.x would write.
func (w *tabled) locked(effects []schema.Effect) string {
	passed := w.virtual.Now().Sub(w.opts.Run.StartedAt)
	if passed < w.others && slices.Contains(effects, schema.Effect{Resource: "fake://host/x", Mode: schema.Write}) {
		return "run r0 holds fake://host/x"
	}
	return ""
}

// Extend implements apply.Locks.
func (w *tabled) Extend(effects []schema.Effect) error {
	if holder := w.locked(effects); holder != "" {
		return errors.New(holder)
	}
	return nil
}
