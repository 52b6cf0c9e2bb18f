package ui

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

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
	return p.flush(w)
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
	failed := 0
	for _, r := range results {
		if !r.OK() {
			failed++
		}
	}
	c := green
	if failed > 0 {
		c = red
	}
	p.linef("%s", p.paint(c, fmt.Sprintf("%s: %d passed, %d failed", Plural(len(results), "test"), len(results)-failed, failed)))
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
}

// WriteTestsJSON writes tests as one JSON document (docs/schemas/tests.json).
func WriteTestsJSON(w io.Writer, results []rehearse.Result, coverage []rehearse.Coverage, diags hcl.Diagnostics) error {
	ok := !diags.HasErrors()
	tests := make([]testJSON, 0, len(results))
	for _, r := range results {
		ok = ok && r.OK()
		tests = append(tests, testJSON{r.Name, r.File, r.Line, r.OK(), r.Outcome, r.Took.Seconds(), append([]string{}, r.Problems...)})
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

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes tests, and mistakes in their files as failures, as JUnit
// XML, which CI systems show.
func WriteJUnit(w io.Writer, results []rehearse.Result, diags hcl.Diagnostics) error {
	suite := junitSuite{Name: "runbook test"}
	add := func(name, class string, problems []string) {
		c := junitCase{Name: clean(name), Class: clean(class)}
		if len(problems) > 0 {
			c.Failure = &junitFailure{clean(problems[0]), clean(strings.Join(problems, "\n"))}
			suite.Failures++
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	for _, r := range results {
		add(r.Name, r.File, r.Problems)
	}
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		class := ""
		if d.Subject != nil {
			class = fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line)
		}
		add(d.Summary, class, []string{d.Summary + ": " + d.Detail})
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}
