// Package review reads runbooks as a careful colleague does before they are
// trusted: lint. It knows what a step would touch, since bundled providers
// describe their actions without a process, and what is true whatever values are
// given. It runs nothing and looks at no system; what makes a file invalid it
// leaves to package runbook.
package review

import (
	"context"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Rule is one thing that a reviewer objects to. Bad and Good are whole runbooks
// that lie side by side: the rule answers to the bad ones, no other does, and
// none does to the good ones.
type Rule struct {
	ID       string // stable, lower_snake_case: what settings and ignores name
	Severity hcl.DiagnosticSeverity
	Summary  string // fixed words
	Why      string // what goes wrong, and how to mend it: Markdown
	Bad      []string
	Good     []string
	Fixable  bool // --fix can mend it

	look   func(*reading, say) // at each runbook by itself
	across func([]*reading, say)
}

// say reports that a rule answers to a place, and returns the finding for more
// to be added.
type say func(at hcl.Range, format string, args ...any) *Finding

// Finding is what one rule says about one place.
type Finding struct {
	Rule       *Rule
	Diagnostic *hcl.Diagnostic // its ID is the rule's
	Edits      []Edit          // mend it and leave what the runbook does as it is; nil: that takes a person
}

// Edit puts a text in the place of a range of a file.
type Edit struct {
	Range hcl.Range
	Text  string
}

// Subject is a valid runbook with what answers for its providers, without a
// process: Backend is asked to Describe only.
type Subject struct {
	Runbook *runbook.Runbook
	Values  map[string]cty.Value // Supposed(Runbook)
	Schemas plan.Schemas
	Backend plan.Backend
}

// Lint holds every rule against each runbook, side by side, and against those of
// one folder together. What is ignored in a file is left out; an ignore that is no
// use is a finding too. The order is that of the subjects, and within a file of
// places.
func Lint(ctx context.Context, subjects []Subject, settings Settings) []Finding {
	rules := Rules()
	readings := make([]*reading, len(subjects))
	found := make([][]Finding, len(subjects))
	clock.Together(clock.Real{}, len(subjects), func(i int) {
		readings[i] = newReading(ctx, subjects[i])
		for _, rule := range rules {
			if rule.look != nil && settings.severity(rule) != hcl.DiagInvalid {
				rule.look(readings[i], collect(rule, settings, &found[i]))
			}
		}
	})
	var all []Finding
	for _, list := range found {
		all = append(all, list...)
	}
	folders := map[string][]*reading{}
	for _, r := range readings {
		dir := filepath.Dir(r.rb.File)
		folders[dir] = append(folders[dir], r)
	}
	for _, dir := range sorted(folders) {
		for _, rule := range rules {
			if rule.across != nil && settings.severity(rule) != hcl.DiagInvalid {
				rule.across(folders[dir], collect(rule, settings, &all))
			}
		}
	}
	return ordered(readings, ignored(readings, all, settings))
}

// collect gathers what a rule says.
func collect(rule *Rule, settings Settings, into *[]Finding) say {
	return func(at hcl.Range, format string, args ...any) *Finding {
		d := diag.Kind(rule.ID).At(at, format, args...)
		d.Summary, d.Severity = rule.Summary, settings.severity(rule)
		*into = append(*into, Finding{Rule: rule, Diagnostic: d})
		return &(*into)[len(*into)-1]
	}
}
