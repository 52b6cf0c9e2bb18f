package ui

import (
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/rehearse"
)

// WriteTest writes how one test went, and what was expected and did not come.
func WriteTest(w io.Writer, style Style, r rehearse.Result) error {
	p := &page{style: style}
	mark := p.paint(green, "✓")
	if !r.OK() {
		mark = p.paint(red, "✗")
	}
	p.linef("%s %s  %s", mark, p.paint(bold, r.Name), p.paint(dim, fmt.Sprintf("%s:%d, %s after %s", r.File, r.Line, r.Outcome, plan.Seconds(r.Took))))
	for _, problem := range r.Problems {
		p.item(4, p.paint(red, "-"), problem)
	}
	for _, step := range trail(r) {
		p.item(6, p.paint(dim, "·"), step)
	}
	p.injections(r)
	return p.flush(w)
}

// trail says how the steps of a test that failed have ended, in that order, after
// how long.
func trail(r rehearse.Result) []string {
	var steps []string
	if len(r.Problems) == 0 || len(r.Events) == 0 {
		return nil
	}
	began := r.Events[0].Time
	for _, e := range r.Events {
		after := pad(plan.Seconds(e.Time.Sub(began)), 5)
		switch e.Type {
		case event.StepFinished:
			steps = append(steps, after+" "+e.Step+" "+statusText(e))
		case event.RunFinished:
			steps = append(steps, after+" "+runFinishedText(e))
		}
	}
	return steps
}

// WriteTests writes how many tests passed, and what they leave untried where
// that was counted.
func WriteTests(w io.Writer, style Style, results []rehearse.Result, coverage []rehearse.Coverage) error {
	p := &page{style: style}
	for _, c := range coverage {
		p.linef("%s: %d of %d shown (%d %%)", p.paint(bold, c.File), len(c.Covered), len(c.Items), percent(c))
		for _, item := range c.Missing() {
			p.item(4, p.paint(yellow, "-"), item.Step+": "+item.What)
		}
	}
	failed, injected := 0, 0
	for _, r := range results {
		injected += len(r.Injections)
		if !r.OK() {
			failed++
		}
	}
	c := green
	if failed > 0 {
		c = red
	}
	said := fmt.Sprintf("%s: %d passed, %d failed", Plural(len(results), "test"), len(results)-failed, failed)
	if injected > 0 {
		said += ", " + Plural(injected, "injection")
	}
	p.linef("%s", p.paint(c, said))
	return p.flush(w)
}

// percent is how much of a runbook its tests show, rounded down.
func percent(c rehearse.Coverage) int {
	if len(c.Items) == 0 {
		return 100
	}
	return len(c.Covered) * 100 / len(c.Items)
}

// coverageJSON is the JSON of one runbook's coverage.
type coverageJSON struct {
	File    string     `json:"file"`
	Items   int        `json:"items"`
	Covered int        `json:"covered"`
	Missing []itemJSON `json:"missing"`
}

type itemJSON struct {
	Step string `json:"step"`
	What string `json:"what"`
}

// testJSON is the JSON of one test.
type testJSON struct {
	Name     string   `json:"name"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	OK       bool     `json:"ok"`
	Outcome  string   `json:"outcome"`
	Seconds  float64  `json:"seconds"` // of virtual time
	Problems []string `json:"problems"`

	Injections []injectionJSON `json:"injections,omitempty"`
}

// WriteTestsJSON writes tests as one JSON document (docs/schemas/tests.json).
func WriteTestsJSON(w io.Writer, results []rehearse.Result, coverage []rehearse.Coverage, diags hcl.Diagnostics) error {
	ok := !diags.HasErrors()
	tests := make([]testJSON, 0, len(results))
	for _, r := range results {
		ok = ok && r.OK()
		tests = append(tests, testJSON{r.Name, r.File, r.Line, r.OK(), r.Outcome, r.Took.Seconds(), append([]string{}, r.Problems...), injectionsJSON(r.Injections)})
	}
	var covered []coverageJSON
	for _, c := range coverage {
		said := coverageJSON{c.File, len(c.Items), len(c.Covered), []itemJSON{}}
		for _, item := range c.Missing() {
			said.Missing = append(said.Missing, itemJSON(item))
		}
		covered = append(covered, said)
	}
	return writeJSON(w, struct {
		FormatVersion string         `json:"format_version"`
		OK            bool           `json:"ok"`
		Tests         []testJSON     `json:"tests"`
		Coverage      []coverageJSON `json:"coverage,omitempty"`
		Diagnostics   []Diagnostic   `json:"diagnostics"`
	}{FormatVersion, ok, tests, covered, diagnosticsJSON(diags)})
}
