package ui

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/rehearse"
)

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
// XML, which CI systems show. Each injection is a case of its own.
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
		add(r.Name, r.File, append(slices.Clone(r.Problems), trail(r)...))
		for _, i := range r.Injections {
			problems := i.Problems
			if len(problems) > 0 {
				problems = append(slices.Clone(problems), strings.Join(i.Trail, " → "))
			}
			add(r.Name+", "+i.String(), r.File, problems)
		}
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
