package export

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

//go:embed library.bash
var library string

// WriteShell writes a runbook as a bash script for the day that the engine cannot
// run: the equivalent commands in order, preconditions and goals as checks, and a
// question to a person wherever no command tells or does the same. Secrets are
// read from the environment and appear neither in the script nor in an argv.
// Nothing is looked at and nothing is started. The same runbook and inputs give
// the same script.
func WriteShell(ctx context.Context, w io.Writer, rb *runbook.Runbook, catalog Catalog, in Inputs) (hcl.Diagnostics, error) {
	r, diags := newReading(ctx, rb, catalog, in)
	if diags.HasErrors() {
		return diags, nil
	}
	s := &script{book: r.book, names: map[string]bool{}, looks: map[string]string{}, steps: map[string]string{}, texts: map[string]string{}}
	main := s.frame(r)
	if s.diags.HasErrors() {
		return s.diags, nil
	}
	var whole bytes.Buffer
	s.header(&whole, r)
	whole.WriteString(library)
	fmt.Fprintf(&whole, "home=%s\n\n# The runbook's own looks and steps.\n%s\n", plan.Literal(rb.Dir), s.functions.String())
	whole.WriteString("main() {\n\tlocal needed\n\tfor needed in jq timeout; do\n\t\tcommand -v \"$needed\" >/dev/null || { say \"$needed is needed and not on this machine\"; exit 1; }\n\tdone\n")
	for _, x := range s.secrets {
		fmt.Fprintf(&whole, "\tsecret %s %s %s\n", x.env, "RUNBOOK_VAR_"+shellName(x.variable), plan.Literal(x.variable))
	}
	fmt.Fprintf(&whole, "\tstate=$(jq -nc --arg id \"by-hand-$$\" --arg operator \"$(id -un)\" --arg environment %s '{run: {$id, $operator, $environment, started_at: (now | floor | todate)}}')\n", plan.Literal(in.Environment))
	whole.Write(s.diagnosis.Bytes())
	whole.WriteString(main)
	whole.WriteString("\tconclude\n}\n\nmain\n")
	_, err := w.Write(whole.Bytes())
	return nil, err
}

// script is a script that is being written.
type script struct {
	*book
	functions bytes.Buffer
	names     map[string]bool   // of functions
	looks     map[string]string // function by what it looks at
	texts     map[string]string // variable of a long text by the text
	steps     map[string]string // name of a step's functions by address
	diagnosis bytes.Buffer      // the lines that look at what a when reads
	diags     hcl.Diagnostics
}

func (s *script) header(w *bytes.Buffer, r *reading) {
	rb := r.rb
	title := rb.Name
	if rb.Title != "" {
		title += ": " + tidy(rb.Title)
	}
	fmt.Fprintf(w, "#!/usr/bin/env bash\n# %s\n", title)
	if rb.Description != "" {
		fmt.Fprintf(w, "# %s\n", tidy(rb.Description))
	}
	fmt.Fprintf(w, `#
# The break-glass script of %s, for the day that runbook itself cannot run:
# made by "runbook shell". It does the steps one after another, looks before and
# after each as the runbook does, asks a person where no command tells, and stops
# where a guard does not hold. It keeps no record, takes no lock, tells nobody, and
# measures no impact: nobody else may be at work. Exit codes: 0 done, 1 failed,
# 3 blocked before anything was changed, 130 interrupted.
#
# It needs bash 4.4, jq, and the programs that its commands name. On a slow day
# PATIENCE=4 lets every look take four times as long.
`, tidy(fileOf(rb)))
	if len(r.vars[0]) > 0 {
		w.WriteString("#\n# Made with these values:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.vars[0])) {
		shown := redact.Display(r.vars[0][name])
		if v := rb.Variables[name]; v != nil && v.Sensitive {
			shown = "from the environment when it runs"
		}
		fmt.Fprintf(w, "#   %s = %s\n", name, shorten(tidy(shown), 200))
	}
	w.WriteString("#\n# Programs of jq name variables of their own, and functions are called by name:\n# shellcheck disable=SC1003,SC2016,SC2317,SC2329\nset -euo pipefail\n\n")
}

var notName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

func shellName(text string) string { return notName.ReplaceAllString(text, "_") }

// name makes a name for functions that no other has.
func (s *script) name(text string) string {
	text = strings.Trim(shellName(text), "_")
	name := text
	for i := 2; s.names[name]; i++ {
		name = text + "_" + strconv.Itoa(i)
	}
	s.names[name] = true
	return name
}

// nameOf is the name of a step's functions.
func (s *script) nameOf(address string) string {
	if s.steps[address] == "" {
		s.steps[address] = s.name(strings.TrimPrefix(address, "step."))
	}
	return s.steps[address]
}

// seconds is a duration as sleep and timeout take it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// whole is a duration in whole seconds, rounded up.
func whole(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// path is a place in what the script remembers.
func (r *reading) path(names ...string) string {
	parts := []string{quoted(r.address)}
	for _, n := range names {
		parts = append(parts, quoted(n))
	}
	return plan.Literal("[" + strings.Join(parts, ",") + "]")
}

func (r *reading) under(address string) string {
	if r.address == "" {
		return address
	}
	return r.address + "." + address
}

// frame writes the functions of one runbook and returns the lines that run it.
func (s *script) frame(r *reading) string {
	var main bytes.Buffer
	s.diagnose(r)
	for _, step := range plan.Ordered(r.rb) {
		for _, name := range s.step(r, step) {
			fmt.Fprintf(&main, "\tstep_%s\n", name)
		}
	}
	if r.address == "" {
		for _, o := range r.rb.Outputs {
			s.output(&main, r, o)
		}
	}
	return main.String()
}

// diagnose writes the lines that look at what decides between causes, before
// anything is done.
func (s *script) diagnose(r *reading) {
	frame := ""
	if r.address != "" {
		frame = "frame=" + plan.Literal(r.address) + " "
	}
	one := func(a *runbook.Assertion, address string, x eval.Extra, path ...string) {
		fmt.Fprintf(&s.diagnosis, "\t%sdiagnose %s %s %s\n", frame, plan.Literal(tidy(address)), r.path(path...), s.look(r, a, address, x))
	}
	for _, name := range r.rb.Diagnosis {
		check := r.rb.Checks[name]
		switch {
		case check == nil:
		case check.ForEach == nil:
			one(&check.Assertion, r.under("check."+name), eval.Extra{}, "check", name)
		default:
			instances, _ := r.instances(check.ForEach)
			for _, i := range instances {
				one(&check.Assertion, r.under(fmt.Sprintf("check.%s[%q]", name, i.Key)), i.Extra(), "check", name, i.Key)
			}
		}
	}
}

// output writes the line that tells a value.
func (s *script) output(w *bytes.Buffer, r *reading, o *runbook.Output) {
	p, err := translator{reading: r, soft: true}.program(o.Value)
	switch {
	case o.Sensitive || len(p.secrets) > 0:
		fmt.Fprintf(w, "\tsay %s\n", plan.Literal(o.Name+" = (sensitive)"))
	case err != nil:
		fmt.Fprintf(w, "\tsay %s\n", plan.Literal(o.Name+" cannot be told here: "+tidy(err.Error())))
	default:
		fmt.Fprintf(w, "\tsay %s\"$(evaluate %s || echo 'not known')\"\n", plan.Literal(o.Name+" = "), plan.Literal(p.text))
	}
}

// instances are those of a for_each that are known and alike whenever it runs.
func (r *reading) instances(expr hcl.Expression) ([]eval.Instance, bool) {
	var worlds [2][]eval.Instance
	for w, scope := range r.worlds {
		found, known, diags := scope.Instances(r.ctx, expr)
		if diags.HasErrors() || !known {
			return nil, false
		}
		worlds[w] = found
	}
	alike := slices.EqualFunc(worlds[0], worlds[1], func(a, b eval.Instance) bool {
		return a.Key == b.Key && a.Value.RawEquals(b.Value) && a.Value.IsWhollyKnown()
	})
	return worlds[0], alike
}
