package apply_test

import (
	"fmt"
	"strings"
)

// files writes a draft out: a runbook, and one for each step that calls.
func (d *draft) files() map[string]string {
	files := map[string]string{"draft.hcl": d.hcl("draft", false)}
	for _, s := range d.steps {
		if s.called != nil {
			files[s.name+".hcl"] = s.called.hcl(s.name, true)
		}
	}
	return files
}

// hcl is a draft's text. The switches of a called runbook's steps are told apart
// by a variable.
func (d *draft) hcl(name string, called bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "runbook %q {\n  max_parallel = %d\n  on_failure   = %q\n}\n", name, d.maxParallel, d.onFailure)
	if called {
		b.WriteString("variable \"at\" {\n  type = string\n}\n")
	}
	for _, check := range []string{"yes", "no", "err"} {
		fmt.Fprintf(&b, "check %q {\n  probe \"fake.get\" { name = %[1]q }\n}\n", check)
	}
	for _, s := range d.steps {
		b.WriteString(d.step(s, called))
	}
	for _, s := range d.steps {
		fmt.Fprintf(&b, "output %q {\n  value = try(step.%[1]s.status, \"none\")\n}\n", s.name)
	}
	return b.String()
}

func (d *draft) step(s *sketch, called bool) string {
	own := s.name
	if called {
		own = "${var.at}" + own
	}
	if s.keys != nil {
		own += "-${each.key}"
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	fmt.Fprintf(&b, "step %q {\n", s.name)
	if !s.written {
		depends := make([]string, len(s.depends))
		for i, name := range s.depends {
			depends[i] = "step." + name
		}
		line("depends_on = [%s]", strings.Join(depends, ", "))
	}
	if s.keys != nil {
		line("for_each = %s", quoted(s.keys))
	}
	if s.roll > 0 {
		line("max_parallel = %d", s.roll)
	}
	if conditions := d.conditions(s); len(conditions) > 0 {
		line("when = %s", strings.Join(conditions, " && "))
	}
	if s.always {
		line("always = true")
	}
	if s.onFailure != "" {
		line("on_failure = %q", s.onFailure)
	}
	if s.timeout > 0 {
		line("timeout = \"%ds\"", s.timeout)
	}
	if s.before != "" {
		otherwise := ""
		if s.skips {
			otherwise = "\n    otherwise = \"skip\""
		}
		line("precondition \"before\" {\n    probe \"fake.get\" { name = %q }%s\n  }", s.before, otherwise)
	}
	d.body(line, s, own)
	if s.goal {
		line("goal \"own\" {\n    probe \"fake.get\" { name = \"%s\" }\n  }", own)
	}
	if s.proof != "" {
		name := s.proof
		if name == "own" {
			name = own
		}
		line("verify \"proof\" {\n    probe \"fake.get\" { name = \"%s\" }\n    within = \"3s\"\n    every = \"1s\"\n  }", name)
	}
	if s.attempts > 0 {
		line("retry {\n    attempts = %d\n    delay = \"2s\"\n  }", s.attempts)
	}
	b.WriteString("}\n")
	return b.String()
}

func (d *draft) body(line func(string, ...any), s *sketch, own string) {
	var reads []string
	for _, name := range s.reads {
		reads = append(reads, "${"+d.read(name)+"}")
	}
	switch s.kind {
	case "set":
		line("%s", s.hcl("  ", own, fmt.Sprintf("%q", s.touches), strings.Join(reads, " ")))
		s.waysBack(line, own, strings.Join(reads, " "))
	case "capture":
		line("probe \"fake.get\" {\n    name = \"yes\"\n    text = \"%s\"\n  }", strings.Join(reads, " "))
	case "call":
		at := s.name + "/"
		if s.keys != nil {
			at = s.name + "-${each.key}/"
		}
		line("call {\n    runbook = \"%s.hcl\"\n    variables = { at = \"%s\" }\n  }", s.name, at)
	}
}

// conditions are the parts of a step's when. What a gate or a call reads is read
// there: it has no arguments of its own that may.
func (d *draft) conditions(s *sketch) []string {
	var parts []string
	if s.asks != "" {
		parts = append(parts, fmt.Sprintf("step.%s.status == %q", s.asks, s.asksFor))
	}
	if s.when != "" {
		parts = append(parts, "check."+s.when+".holds")
	}
	if s.kind == "gate" || s.kind == "call" {
		for _, name := range s.reads {
			parts = append(parts, d.read(name)+" != \"never\"")
		}
	}
	return parts
}

// read is how a step's result is used.
func (d *draft) read(name string) string {
	result, s := "step."+name, d.named(name)
	if s.keys != nil {
		result += fmt.Sprintf("[%q]", s.keys[0])
	}
	part := "value"
	if s.called != nil {
		part = s.called.steps[0].name
	}
	return fmt.Sprintf("try(%s.result.%s, \"none\")", result, part)
}
