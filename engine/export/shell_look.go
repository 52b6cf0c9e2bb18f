package export

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// question is what an assertion asks in the end, and what is in scope for each
// part of it.
type question struct {
	runbook.Assertion
	probe, assert, message eval.Extra
}

// asks follows check = to what is asked in the end.
func (r *reading) asks(a *runbook.Assertion, x eval.Extra) (question, error) {
	q := question{*a, x, x, x}
	for !q.All && len(q.Checks) == 1 {
		use := q.Checks[0]
		check := r.rb.Checks[use.Name]
		if check == nil {
			return q, fmt.Errorf("there is no check.%s", use.Name)
		}
		cx := eval.Extra{}
		if check.ForEach != nil {
			key, ok := cty.NilVal, false
			if use.Key != nil {
				key, ok = r.known(use.Key, q.probe)
			}
			instances, known := r.instances(check.ForEach)
			if !ok || !known || key.IsNull() {
				return q, fmt.Errorf("which check.%s it is is known only when it runs", use.Name)
			}
			for _, i := range instances {
				if key.Type() == cty.String && key.AsString() == i.Key {
					cx = i.Extra()
				}
			}
		}
		if q.Assert == nil {
			q.assert = cx
		}
		if q.Message == nil {
			q.message = cx
		}
		q.probe = cx
		q.Assertion = plan.Merge(check, &q.Assertion)
	}
	return q, nil
}

// look writes the function that looks at an assertion once, and returns its name.
func (s *script) look(r *reading, a *runbook.Assertion, guard string, x eval.Extra) string {
	return s.lookFor(r, a, guard, x, nil, "")
}

// lookFor is look for an assertion that may speak of a step's own result.
func (s *script) lookFor(r *reading, a *runbook.Assertion, guard string, x eval.Extra, step *runbook.Step, key string) string {
	if name, ok := s.looks[guard]; ok {
		return name
	}
	name := "look_" + s.name(guard)
	s.looks[guard] = name
	var b bytes.Buffer
	q, err := r.asks(a, x)
	switch {
	case err != nil:
		s.byEye(&b, guard, r.meaning(&q.Assertion), err)
	case q.All:
		s.lookAll(&b, r, q, guard, x)
	default:
		s.lookOne(&b, r, q, guard, step, key)
	}
	fmt.Fprintf(&s.functions, "# %s\n%s() {\n%s}\n\n", shorten(tidy(guard+": "+r.meaning(&q.Assertion)), 300), name, b.String())
	return name
}

func (s *script) lookAll(b *bytes.Buffer, r *reading, q question, guard string, x eval.Extra) {
	var names []string
	for i := range q.Checks {
		use := q.Checks[i]
		check := r.rb.Checks[use.Name]
		if check != nil && check.ForEach != nil && use.Key == nil {
			instances, ok := r.instances(check.ForEach)
			if !ok {
				s.byEye(b, guard, r.meaning(&q.Assertion), fmt.Errorf("which instances check.%s has is known only when it runs", use.Name))
				return
			}
			for _, instance := range instances {
				names = append(names, s.look(r, &check.Assertion, guard+fmt.Sprintf(".check.%s[%q]", use.Name, instance.Key), instance.Extra()))
			}
			continue
		}
		part := q.Assertion
		part.All, part.Checks = false, q.Checks[i:i+1]
		names = append(names, s.look(r, &part, guard+".check."+use.Name, x))
	}
	if len(names) == 0 {
		b.WriteString("\twhy='there is no check to look at'\n\treturn 1\n")
		return
	}
	fmt.Fprintf(b, "\t%s\n", strings.Join(names, " && "))
}

func (s *script) lookOne(b *bytes.Buffer, r *reading, q question, guard string, step *runbook.Step, key string) {
	t := translator{reading: r, x: q.assert, step: step, key: key}
	if q.Probe != nil {
		h, err := r.byHand(q.Probe, schema.Probe, q.probe)
		if err != nil {
			s.byEye(b, guard, r.meaning(&q.Assertion), err)
			return
		}
		t.gives = append([]string{}, h.Gives...)
		timeout := runbook.DefaultTimeout
		if q.Timeout != nil {
			timeout = *q.Timeout
		}
		if err := s.command(b, r, h, q.probe, step, key, guard, "ask", timeout, ""); err != nil {
			b.Reset()
			s.byEye(b, guard, r.meaning(&q.Assertion), err)
			return
		}
	} else {
		b.WriteString("\tresult=null\n")
	}
	assert, message := program{text: "($result | at(\"ok\") | truth)"}, program{text: "($result | at(\"summary\") | text)"}
	if q.Assert != nil {
		var err error
		if assert, err = t.program(q.Assert); err != nil {
			if q.Probe != nil {
				fmt.Fprintf(b, "\tsay \"   it shows: $(jq -c . <<<\"$result\")\"\n")
			}
			s.byEye(b, guard, r.meaning(&q.Assertion), err)
			return
		}
		assert.text = "(" + assert.text + " | truth)"
		message.text = quoted(tidy(q.Name + " does not hold: " + sourceOf(r.rb, q.Assert)))
	}
	if q.Message != nil {
		t.x, t.soft = q.message, true
		if said, err := t.program(q.Message); err == nil && len(said.secrets) == 0 {
			message = said
		}
	}
	s.lend(b, assert.secrets)
	fmt.Fprintf(b, "\tholds %s %s\n", plan.Literal(assert.text), plan.Literal(message.text))
}

// lend hands secrets to the programs of jq that follow, and to nobody else.
func (s *script) lend(b *bytes.Buffer, secrets []*secret) {
	var lent []string
	for _, x := range secrets {
		lent = append(lent, fmt.Sprintf("%s=\"$%s\"", x.env, x.env))
	}
	if len(lent) > 0 {
		fmt.Fprintf(b, "\tlocal lent=(%s)\n", strings.Join(lent, " "))
	}
}

// byEye writes the question to a person to look: what cannot be told by a command
// is never guessed.
func (s *script) byEye(b *bytes.Buffer, guard, meaning string, why error) {
	fmt.Fprintf(b, "\tperson %s %s\n", plan.Literal(tidy(guard)), plan.Literal(shorten(tidy("does this hold: "+meaning+" (not by a command: "+why.Error()+")"), 2000)))
}

// meaning is an assertion in the words of its author.
func (r *reading) meaning(a *runbook.Assertion) string {
	var said []string
	if told := r.told(a); told != "" {
		said = append(said, told)
	}
	if a.Probe != nil {
		said = append(said, r.inWords(a.Probe))
	}
	for _, use := range a.Checks {
		said = append(said, "check."+use.Name)
	}
	assert := "result.ok"
	if a.Assert != nil {
		assert = sourceOf(r.rb, a.Assert)
	}
	return strings.Join(append(said, assert), "; ")
}

// checkOf is the check that an assertion looks with.
func (r *reading) checkOf(a *runbook.Assertion) *runbook.Check {
	for _, c := range r.rb.Checks {
		if c.Place == a.Place || len(a.Checks) == 1 && c.Name == a.Checks[0].Name || a.Probe != nil && c.Probe == a.Probe {
			return c
		}
	}
	return nil
}

// told is what the author says that an assertion is about; empty where nothing is
// said. What is said of a check is not said of who asks something else of its result.
func (r *reading) told(a *runbook.Assertion) string {
	check := r.checkOf(a)
	if check == nil || a.Assert != nil && (check.Assert == nil || a.Assert.Range() != check.Assert.Range()) {
		return ""
	}
	return check.Description
}

// inWords is an operation with its arguments as their author wrote them.
func (r *reading) inWords(op *runbook.Operation) string {
	var arguments []string
	if body, ok := op.Body.(*hclsyntax.Body); ok {
		for _, attr := range runbook.SortedAttributes(body) {
			arguments = append(arguments, attr.Name+" = "+sourceOf(r.rb, attr.Expr))
		}
	}
	if len(arguments) == 0 {
		return op.Type()
	}
	return op.Type() + " { " + strings.Join(arguments, ", ") + " }"
}

// command writes the lines that run one command by a function of the library.
func (s *script) command(b *bytes.Buffer, r *reading, h *hand, x eval.Extra, step *runbook.Step, key, guard, by string, bound time.Duration, before string) error {
	failed := 3 // nothing was done
	if by == "ask" {
		failed = 2 // nobody can tell
	}
	stands := map[string]string{}
	for _, secret := range h.secrets {
		stands[secret.texts[0]] = secret.env
	}
	for i, l := range h.learned {
		name := fmt.Sprintf("argument_%d", i)
		stands[l.stand] = name
		p, err := translator{reading: r, x: x, step: step, key: key}.program(l.expr)
		if err != nil {
			return fmt.Errorf("the argument %s: %w", l.argument, err)
		}
		if len(p.secrets) > 0 {
			return fmt.Errorf("the argument %s is made of secrets", l.argument)
		}
		at, err := r.inside(l.path)
		if err != nil {
			return err
		}
		where := "inside"
		if h.isWord(l.stand) {
			where = "whole"
		}
		fmt.Fprintf(b, "\tlocal %s=''\n\tvalue %s %s %s %s || return %d\n", name, name, where, plan.Literal(p.text+at+" | text"), plan.Literal(tidy(guard+", the argument "+l.argument)), failed)
	}
	var inside []string
	for _, secret := range h.secrets {
		if h.Stdin != secret.texts[0] && strings.Contains(h.Stdin, secret.texts[0]) {
			inside = append(inside, secret.env)
		}
	}
	if len(inside) > 0 {
		fmt.Fprintf(b, "\tplainly %s || return %d\n", strings.Join(inside, " "), failed)
	}
	s.setting(b, h, stands)
	program := h.Result
	if program == "" {
		program = "plain"
	}
	if before != "" {
		fmt.Fprintf(b, "\t%s\n", before)
	}
	fmt.Fprintf(b, "\t%s %s %s \\\n\t\t", by, seconds(bound), s.text(program, nil, "answer"))
	for _, word := range h.Command {
		b.WriteString(shellWord(word, stands) + " ")
	}
	b.WriteString("|| return\n")
	return nil
}

// setting writes what a command gets besides its words.
func (s *script) setting(b *bytes.Buffer, h *hand, stands map[string]string) {
	var with []string
	for _, name := range sortedKeys(h.Env) {
		with = append(with, name+"="+shellWord(h.Env[name], stands))
	}
	if len(with) > 0 {
		fmt.Fprintf(b, "\tlocal with=(%s)\n", strings.Join(with, " "))
	}
	if h.Stdin != "" {
		fmt.Fprintf(b, "\tlocal feed=%s\n", s.text(h.Stdin, stands, "text"))
	}
	if h.Dir != "" {
		fmt.Fprintf(b, "\tlocal dir=%s\n", shellWord(h.Dir, stands))
	}
}

// shared is how long a text is that is written once for all who read it.
const shared = 80

func (s *script) text(text string, stands map[string]string, kind string) string {
	word := shellWord(text, stands)
	if len(text) < shared || word != plan.Literal(text) {
		return word
	}
	if s.texts[text] == "" {
		s.texts[text] = fmt.Sprintf("%s_%d", kind, len(s.texts)+1)
		fmt.Fprintf(&s.functions, "%s=%s\n\n", s.texts[text], multiline(text))
	}
	return `"$` + s.texts[text] + `"`
}

// isWord says whether a text is nowhere but as a whole word, or value, of its own.
func (h *hand) isWord(stand string) bool {
	everything := append([]string{h.Stdin, h.Dir}, h.Command...)
	for _, value := range h.Env {
		everything = append(everything, value)
	}
	for _, text := range everything {
		if text != stand && strings.Contains(text, stand) {
			return false
		}
	}
	return h.Stdin != stand
}

// inside is where in a value an argument's text is.
func (r *reading) inside(path cty.Path) (string, error) {
	at := ""
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			at += " | at(" + quoted(s.Name) + ")"
		case cty.IndexStep:
			switch {
			case s.Key.Type() == cty.String:
				at += " | at(" + quoted(s.Key.AsString()) + ")"
			case s.Key.Type() == cty.Number:
				at += " | at(" + s.Key.AsBigFloat().Text('f', -1) + ")"
			default:
				return "", fmt.Errorf("an element of a set is known only when it runs")
			}
		}
	}
	return at, nil
}

// translates is for outputs of called runbooks.
func (r *reading) translates(expr hcl.Expression) (program, error) {
	return translator{reading: r}.program(expr)
}
