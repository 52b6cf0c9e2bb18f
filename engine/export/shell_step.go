package export

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// stepScript writes one step, or one instance of it.
type stepScript struct {
	*script
	r       *reading
	step    *runbook.Step
	key     string // of the instance
	x       eval.Extra
	address string
	name    string // of its functions, behind step_, do_, back_ …
}

// step writes the functions of a step and returns their names, one for each
// instance.
func (s *script) step(r *reading, step *runbook.Step) []string {
	one := func(address, key string, x eval.Extra) *stepScript {
		return &stepScript{script: s, r: r, step: step, key: key, x: x, address: r.under(address), name: s.nameOf(r.under(address))}
	}
	if step.ForEach == nil {
		w := one(step.Address(), "", eval.Extra{})
		w.write(nil)
		return []string{w.name}
	}
	instances, ok := r.instances(step.ForEach)
	if !ok {
		w := one(step.Unknown(), "*", eval.Extra{})
		w.unknown()
		return []string{w.name}
	}
	var names []string
	var before []string
	for _, i := range instances {
		w := one(step.Instance(i.Key), i.Key, i.Extra())
		w.write(before)
		names = append(names, w.name)
		if step.MaxParallel > 0 { // a roll ends with the first that fails
			before = []string{w.address}
		}
	}
	return names
}

func (w *stepScript) line(b *bytes.Buffer, format string, args ...any) {
	fmt.Fprintf(b, "\t"+format+"\n", args...)
}

func (w *stepScript) function(name string, body *bytes.Buffer) {
	fmt.Fprintf(&w.functions, "%s() {\n%s}\n\n", name, body)
}

// unknown is a step whose instances are known only when it runs.
func (w *stepScript) unknown() {
	var b bytes.Buffer
	w.open(&b, nil)
	w.line(&b, "finish blocked %s", plan.Literal(tidy(w.address+".for_each: which instances there are is known only when it runs; do this step by hand: "+sourceOf(w.r.rb, w.step.ForEach))))
	w.function("step_"+w.name, &b)
}

// open writes what every step begins with.
func (w *stepScript) open(b *bytes.Buffer, more []string) {
	path := []string{"step", w.step.Name}
	if w.step.ForEach != nil {
		path = append(path, w.key)
	}
	needs := append([]string{}, more...)
	for _, e := range w.step.Edges {
		if e.Kind != runbook.Need {
			continue
		}
		if instances, ok := w.r.instancesOf(e.To); ok {
			needs = append(needs, instances...)
		}
	}
	for i, need := range needs {
		needs[i] = plan.Literal(need)
	}
	always := "''"
	if w.step.Always {
		always = "always"
	}
	title := w.step.Title
	if title == "" {
		title = w.step.Name
	}
	w.line(b, "local step=%s place=%s policy frame=%s", plan.Literal(tidy(w.address)), w.r.path(path...), plan.Literal(w.r.address))
	w.line(b, "begin %s || return 0", strings.Join(append([]string{plan.Literal(tidy(title)), string(w.step.OnFailure), always}, needs...), " "))
}

// instancesOf are the addresses of a step's instances.
func (r *reading) instancesOf(step *runbook.Step) ([]string, bool) {
	if step.ForEach == nil {
		return []string{r.under(step.Address())}, true
	}
	instances, ok := r.instances(step.ForEach)
	if !ok {
		return []string{r.under(step.Unknown())}, true
	}
	var all []string
	for _, i := range instances {
		all = append(all, r.under(step.Instance(i.Key)))
	}
	return all, true
}

func (w *stepScript) translator() translator {
	return translator{reading: w.r, x: w.x, step: w.step, key: w.key}
}

// write writes the step.
func (w *stepScript) write(more []string) {
	var b bytes.Buffer
	w.open(&b, more)
	w.when(&b)
	w.goals(&b)
	for _, a := range w.step.Preconditions {
		q, _ := w.r.asks(a, w.x)
		otherwise := "block"
		if a.Otherwise == "skip" {
			otherwise = "skip"
		}
		w.line(&b, "guard %s %s %s %s || return 0", plan.Literal("precondition."+a.Name), otherwise, patience(&q.Assertion, true), w.look(a))
	}
	w.act(&b)
	w.function("step_"+w.name, &b)
}

// look is the function that looks at an assertion of this step.
func (w *stepScript) look(a *runbook.Assertion) string {
	return w.lookFor(w.r, a, w.guard(a), w.x, w.step, w.key)
}

func (w *stepScript) guard(a *runbook.Assertion) string {
	return w.address + "." + a.Kind + "." + a.Name
}

// patience is how an assertion is waited for; one look has none.
func patience(a *runbook.Assertion, waits bool) string {
	every, within, hold, tolerate := runbook.DefaultEvery, 0, 0, 0
	if a.Every != nil {
		every = *a.Every
	}
	if waits && a.Within != nil {
		within = whole(*a.Within)
	}
	if waits && a.HoldFor != nil {
		hold = whole(*a.HoldFor)
	}
	if waits && a.Tolerate != nil {
		tolerate = *a.Tolerate
	}
	return fmt.Sprintf("%d %s %d %d", within, seconds(every), hold, tolerate)
}

func (w *stepScript) when(b *bytes.Buffer) {
	if w.step.When == nil {
		return
	}
	source := plan.Literal(shorten(tidy(sourceOf(w.r.rb, w.step.When)), 300))
	p, err := w.translator().program(w.step.When)
	if err != nil {
		w.line(b, "person %s %s || {", plan.Literal(tidy(w.address+".when")), plan.Literal(tidy("is this so: "+sourceOf(w.r.rb, w.step.When)+" ("+err.Error()+")")))
		w.line(b, "\tif [ $? -eq 3 ]; then finish blocked \"$why\"; else finish skipped %s; fi", source)
		w.line(b, "\treturn 0\n\t}")
		return
	}
	w.lend(b, p.secrets)
	w.line(b, "when %s %s || return 0", plan.Literal("("+p.text+" | truth)"), source)
}

// all joins looks at assertions: they hold where each of them does.
func (w *stepScript) all(assertions []*runbook.Assertion, waits bool) string {
	var looks []string
	for _, a := range assertions {
		path := []string{"step", w.step.Name, a.Kind, a.Name}
		if w.step.ForEach != nil {
			path = []string{"step", w.step.Name, w.key, a.Kind, a.Name}
		}
		q, _ := w.r.asks(a, w.x)
		looks = append(looks, fmt.Sprintf("met %s %s %s %s", plan.Literal(tidy(w.guard(a))), w.r.path(path...), patience(&q.Assertion, waits), w.look(a)))
	}
	return strings.Join(looks, " &&\n\t\t")
}

func (w *stepScript) goals(b *bytes.Buffer) {
	if len(w.step.Goals) == 0 {
		return
	}
	w.line(b, "if %s; then", w.all(w.step.Goals, false))
	w.line(b, "\tfinish satisfied\n\t\treturn 0\n\tfi")
	w.line(b, "seen || return 0")
}

// act writes what the step does once nothing is in the way.
func (w *stepScript) act(b *bytes.Buffer) {
	step := w.step
	switch {
	case step.Action != nil:
		w.action(b)
	case step.Probe != nil:
		w.capture(b)
	case step.Call != nil:
		w.call(b)
	default:
		w.approval(b)
		w.proof(b)
		if len(step.Verifies) == 0 && step.Approval == nil {
			w.line(b, "finish satisfied")
			return
		}
		w.line(b, "if %s; then finish 'done'; else finish failed \"$why\"; fi", w.proven())
	}
}

// proof writes the function that proves what the step was for.
func (w *stepScript) proof(*bytes.Buffer) {
	var b bytes.Buffer
	if proofs := append(append([]*runbook.Assertion{}, w.step.Goals...), w.step.Verifies...); len(proofs) > 0 {
		w.line(&b, "%s", w.all(proofs, true))
		w.function("proven_"+w.name, &b)
	}
}

// proven is the function that proves what the step was for; true where nothing
// has to be proven.
func (w *stepScript) proven() string {
	if len(w.step.Goals)+len(w.step.Verifies) == 0 {
		return "true"
	}
	return "proven_" + w.name
}

// approval writes the question whose yes the step wants.
func (w *stepScript) approval(b *bytes.Buffer) {
	a := w.step.Approval
	if a == nil {
		return
	}
	wanted := "may this step act?"
	if a.Message != nil {
		if v, ok := w.r.known(a.Message, w.x); ok && v.Type() == cty.String && !v.IsNull() {
			wanted = v.AsString()
		} else {
			wanted = sourceOf(w.r.rb, a.Message)
		}
	}
	if a.Approvers != nil {
		wanted += " (only: " + sourceOf(w.r.rb, a.Approvers) + ")"
	}
	if a.Count > 1 {
		wanted += fmt.Sprintf(" (%d different people)", a.Count)
	}
	question := fmt.Sprintf("approve %s %s || return 0", plan.Literal(tidy(w.address+".approval")), plan.Literal(tidy(wanted)))
	if a.When != nil {
		if p, err := w.translator().program(a.When); err == nil && len(p.secrets) == 0 {
			// Only a clear no spares the question.
			question = fmt.Sprintf("if [ \"$(evaluate %s)\" != false ]; then %s; fi", plan.Literal("("+p.text+" | truth)"), question)
		}
	}
	w.line(b, "%s", question)
}

// action writes the step's own action, its fallbacks and its rollback.
func (w *stepScript) action(b *bytes.Buffer) {
	step := w.step
	w.approval(b)
	if step.Limit != nil {
		w.line(b, "approve %s %s || return 0", plan.Literal(tidy(w.address+".limit")), plan.Literal(tidy("no more than this may be hit, and nobody has counted: "+sourceOf(w.r.rb, step.Limit)+"; have you?")))
	}
	described := w.destructive(b, step.Action, ".action")
	if step.Rollback != nil {
		if d, err := w.r.describe(step.Rollback.Action, w.x); err != nil || d.Destructive {
			w.line(b, "approve %s %s %s || return 0", plan.Literal(tidy(w.address+".rollback")), plan.Literal(tidy("its way back is destructive: "+w.r.inWords(step.Rollback.Action))), plan.Literal(tidy(w.address)))
		}
	}
	if step.NoReturn {
		w.line(b, "no_return=${#acted[@]}")
	}
	w.proof(b)
	w.do("do_"+w.name, step.Action, w.address+".action", true)
	retry := "1 0 1 0"
	if again := step.Retry; again != nil && again.When == nil && described.Settling == schema.Idempotent {
		retry = fmt.Sprintf("%d %s %g %s", again.Attempts, seconds(again.Delay), again.Factor, seconds(again.MaxDelay))
	}
	w.line(b, "if attempt %s again %s do_%s; then return 0; fi", w.proven(), retry, w.name)
	for i, f := range step.Fallbacks {
		name := fmt.Sprintf("%s_else_%d", w.name, i+1)
		w.line(b, "say \"   $why; instead:\" %s", plan.Literal(tidy(f.Label)))
		w.destructive(b, f.Action, ".fallback."+f.Label)
		w.do("do_"+name, f.Action, w.address+".fallback."+f.Label, true)
		w.line(b, "if attempt %s do_%s; then return 0; fi", w.proven(), name)
	}
	w.line(b, "finish failed \"$why\"")
	w.back()
}

// destructive writes the question that nothing destructive is done without.
func (w *stepScript) destructive(b *bytes.Buffer, op *runbook.Operation, what string) schema.Description {
	d, err := w.r.describe(op, w.x)
	if err != nil || d.Destructive {
		w.line(b, "approve %s %s %s || return 0", plan.Literal(tidy(w.address+what)),
			plan.Literal(tidy("it may destroy, and nobody has counted what it hits: "+w.r.inWords(op))), plan.Literal(tidy(w.address)))
	}
	return d
}

// describe is what an action would do, told without a look.
func (r *reading) describe(op *runbook.Operation, x eval.Extra) (schema.Description, error) {
	config, arguments, _, err := r.asked(op, schema.Action, x)
	if err != nil {
		return schema.Description{}, err
	}
	d, err := r.catalog.Describe(r.ctx, r.rb.Dir, op.Provider, config, schema.Operation{Name: op.Name, Kind: schema.Action, Arguments: arguments})
	if err == nil && d.Failure != nil {
		err = d.Failure
	}
	return d, err
}

// do writes the function that carries out an action, the step's own or one that
// takes it back.
func (w *stepScript) do(name string, op *runbook.Operation, guard string, own bool) {
	var b bytes.Buffer
	intend := ""
	if own {
		intend = "intend " + w.name
	}
	h, err := w.r.byHand(op, schema.Action, w.x)
	if err == nil {
		if op.Sensitive {
			w.line(&b, "local discreet=yes")
		}
		err = w.command(&b, w.r, h, w.x, w.step, w.key, guard, "act", w.step.Timeout, intend)
	}
	if err != nil {
		b.Reset()
		w.line(&b, "person %s %s || return", plan.Literal(tidy(guard)),
			plan.Literal(shorten(tidy("do this by hand, and say yes once it is done: "+w.r.inWords(op)+" ("+err.Error()+")"), 2000)))
		if own {
			w.line(&b, "%s", intend)
		}
		w.line(&b, "result=null")
	}
	if own {
		w.line(&b, "keep %s \"$result\"", w.resultPath())
	}
	w.function(name, &b)
}

func (w *stepScript) resultPath() string {
	if w.step.ForEach != nil {
		return w.r.path("step", w.step.Name, w.key, "result")
	}
	return w.r.path("step", w.step.Name, "result")
}

// back writes the function that takes the step back.
func (w *stepScript) back() {
	back := w.step.Rollback
	if back == nil {
		return
	}
	var b bytes.Buffer
	for _, before := range back.DependsOn {
		addresses, _ := w.r.instancesOf(before)
		for _, address := range addresses {
			w.line(&b, "back %s", w.nameOf(address))
		}
	}
	w.line(&b, "local step=%s place='' policy frame=%s", plan.Literal(tidy(w.address)), plan.Literal(w.r.address))
	w.line(&b, "say %s", plan.Literal(tidy("-- taking back "+w.address)))
	w.do("undo_"+w.name, back.Action, w.address+".rollback", false)
	w.line(&b, "undo_%s || return", w.name)
	for _, a := range back.Verifies {
		q, _ := w.r.asks(a, w.x)
		guard := w.address + ".rollback.verify." + a.Name
		w.line(&b, "met %s '' %s %s || return", plan.Literal(tidy(guard)), patience(&q.Assertion, true), w.lookFor(w.r, a, guard, w.x, w.step, w.key))
	}
	w.function("back_"+w.name, &b)
}

// capture writes a step that only reads a value.
func (w *stepScript) capture(b *bytes.Buffer) {
	w.proof(b)
	h, err := w.r.byHand(w.step.Probe, schema.Probe, w.x)
	var look bytes.Buffer
	if err == nil {
		err = w.command(&look, w.r, h, w.x, w.step, w.key, w.address, "ask", runbook.DefaultTimeout, "")
	}
	if err != nil {
		w.line(b, "finish blocked %s", plan.Literal(tidy(w.address+": no command reads this value: "+w.r.inWords(w.step.Probe)+" ("+err.Error()+")")))
		return
	}
	w.function("do_"+w.name, &look)
	w.line(b, "if do_%s; then", w.name)
	w.line(b, "\tkeep %s \"$result\"\n\t\tfinish 'done'\n\telse\n\t\tfinish failed \"$why\"\n\tfi", w.resultPath())
}

// call writes a step that runs another runbook: its steps are functions too.
func (w *stepScript) call(b *bytes.Buffer) {
	w.approval(b)
	w.proof(b)
	inner, diags := w.r.called(w.step, w.address, w.x)
	if diags.HasErrors() {
		w.diags = append(w.diags, diags...)
		return
	}
	var in bytes.Buffer
	w.line(&in, "local frame=%s halted='' take_back='' did='' bad_before=${#problems[@]} acted_before=${#acted[@]}", plan.Literal(w.address))
	in.WriteString(w.frame(inner))
	w.line(&in, "roll_back \"$acted_before\"")
	w.line(&in, "if [ \"${#problems[@]}\" -gt \"$bad_before\" ]; then")
	w.line(&in, "\twhy=${problems[-1]}\n\t\tproblems=(\"${problems[@]:0:bad_before}\")\n\t\treturn 1\n\tfi")
	var fields []string
	for _, o := range inner.rb.Outputs {
		if p, err := inner.translates(o.Value); err == nil && len(p.secrets) == 0 {
			fields = append(fields, quoted(o.Name)+": "+p.text)
		}
	}
	w.line(&in, "result=$(evaluate %s) || result=null", plan.Literal("{"+strings.Join(fields, ", ")+"}"))
	w.line(&in, "keep %s \"$result\"", w.resultPath())
	w.line(&in, "acting=$did")
	w.function("call_"+w.name, &in)
	w.line(b, "local acting=''")
	w.line(b, "if ! call_%s || ! %s; then", w.name, w.proven())
	w.line(b, "\tfinish failed \"$why\"\n\telif [ -n \"$acting\" ]; then\n\t\tfinish 'done'\n\telse\n\t\tfinish satisfied\n\tfi")
}
