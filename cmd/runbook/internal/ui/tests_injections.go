package ui

import (
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/engine/rehearse"
)

// injectionJSON is the JSON of one injection.
type injectionJSON struct {
	Step     string   `json:"step"`
	At       string   `json:"at"`
	Fault    string   `json:"fault"`
	What     string   `json:"what"`
	OK       bool     `json:"ok"`
	Outcome  string   `json:"outcome"`
	Seconds  float64  `json:"seconds"` // of virtual time
	Problems []string `json:"problems"`
	Trail    []string `json:"trail"`
}

func injectionsJSON(injections []rehearse.Injection) []injectionJSON {
	var said []injectionJSON
	for _, i := range injections {
		said = append(said, injectionJSON{
			i.Step, i.At, string(i.Kind), i.What(), i.OK(), i.Outcome, i.Took.Seconds(),
			append([]string{}, i.Problems...), append([]string{}, i.Trail...),
		})
	}
	return said
}

// injections says what was made to go wrong in a test, one line a step, and what
// that broke.
func (p *page) injections(r rehearse.Result) {
	if len(r.Injections) == 0 {
		if r.Exhaustive {
			p.linef("    %s", p.paint(dim, "nothing was made to go wrong: "+why(r)))
		}
		return
	}
	broken := 0
	for _, i := range r.Injections {
		if !i.OK() {
			broken++
		}
	}
	said := p.paint(green, "all ended as they must")
	if broken > 0 {
		said = p.paint(red, fmt.Sprintf("%d did not end as they must", broken))
	}
	p.linef("    %s: %s", Plural(len(r.Injections), "injection"), said)
	for _, group := range together(r.Injections, func(i rehearse.Injection) string { return i.Step }) {
		where := group[0].Step
		if where == "" {
			where = "checks"
		}
		p.hanging(6, p.paint(dim, where)+"  ", 2, whats(group))
	}
	for _, group := range together(r.Injections, func(i rehearse.Injection) string { return strings.Join(i.Problems, "\n") }) {
		if group[0].OK() {
			continue
		}
		for _, i := range group {
			p.item(4, p.paint(red, "✗"), i.String())
		}
		for _, problem := range group[0].Problems {
			p.item(6, p.paint(red, "-"), problem)
		}
		p.hanging(6, p.paint(dim, "·")+" ", 2, strings.Join(group[0].Trail, " → "))
	}
}

// together groups injections that have the same key, each group where its first
// stands.
func together(injections []rehearse.Injection, key func(rehearse.Injection) string) [][]rehearse.Injection {
	var groups [][]rehearse.Injection
	at := map[string]int{}
	for _, i := range injections {
		k := key(i)
		if _, known := at[k]; !known {
			at[k] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[k]] = append(groups[at[k]], i)
	}
	return groups
}

// whats says what goes wrong in a group, each subject once.
func whats(group []rehearse.Injection) string {
	var subjects []string
	for _, same := range together(group, func(i rehearse.Injection) string { return i.Subject }) {
		var hows []string
		for _, i := range same {
			hows = append(hows, i.How())
		}
		subjects = append(subjects, same[0].Subject+" "+strings.Join(hows, " | "))
	}
	return strings.Join(subjects, "; ")
}

// why is why an exhaustive test has no injections.
func why(r rehearse.Result) string {
	if !r.OK() {
		return "the test fails by itself"
	}
	return "the run does nothing that could"
}
