package runbook

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// scope says what expressions at one place may refer to.
type scope struct {
	owner  string // who uses what is referred to: "check bars", "step x", …
	place  string // for messages: "a provider block"
	static bool   // known before the run: neither steps nor checks, also not through locals
	result bool   // there is a result to assert on
	self   bool
	back   bool  // it is a rollback's, which runs also where the action failed half-way
	failed bool  // there is an error to look at
	each   bool  // there is an instance
	step   *Step // the step it belongs to, or nil
	when   bool  // the step's when
	notice bool  // it is told to people: there is a run to sum up
}

// stepUse is one reference of a step, and whether its when makes it.
type stepUse struct {
	ref  Reference
	when bool
}

// checkReferences looks at every expression of the runbook: may it refer to
// that, and is it there? What is used by whom is kept for edges and reach.
func (l *loader) checkReferences() {
	rb := l.rb
	for _, name := range slices.Sorted(maps.Keys(rb.Locals)) {
		local := rb.Locals[name]
		local.References = l.visit(local.Expr, scope{owner: "local " + name, place: "a local"})
	}
	l.orderLocals()
	for name, v := range rb.Variables {
		sc := scope{owner: "variable " + name, place: "a variable", static: true}
		for _, val := range v.Validations {
			l.visit(val.Condition, sc)
			l.visit(val.Message, sc)
		}
	}
	for ref, p := range rb.Providers {
		l.visitBody(p.Body, scope{owner: "provider " + ref, place: "a provider block", static: true})
	}
	for name, c := range rb.Checks {
		sc := scope{owner: "check " + name, place: "a check", static: true}
		if c.ForEach != nil {
			l.noSecretKeys(l.visit(c.ForEach, sc), c.ForEach)
		}
		sc.each = c.ForEach != nil
		l.visitAssertion(&c.Assertion, sc)
	}
	for _, s := range rb.Steps {
		l.visitStep(s)
	}
	for _, o := range rb.Outputs {
		sc := scope{owner: "output " + o.Name, place: "an output"}
		l.checkNull(l.visit(o.Value, sc), nil)
	}
	for _, n := range rb.Notices {
		l.visitNotice(n)
	}
	for _, use := range l.providerRefs {
		if _, ok := rb.Providers[use.ref]; !ok && !rb.incomplete && !l.diags.Full() {
			d := diag.UnknownName.At(use.at, "There is no provider configuration %s. Declare it: provider %q { alias = … }", use.ref, rootOf(use.ref))
			l.add(diag.Suggest(d, diag.Nearest(use.ref, slices.Sorted(maps.Keys(rb.Providers)))))
		}
	}
}

// visit looks at one expression and returns its references.
func (l *loader) visit(expr hcl.Expression, sc scope) []Reference {
	if l.diags.Full() {
		return nil
	}
	var c collector
	hclsyntax.Walk(expr.(hclsyntax.Node), &c)
	for _, call := range c.calls {
		l.checkCall(call)
	}
	for _, ref := range c.refs {
		if l.diags.Full() {
			return nil
		}
		if !l.checkReference(ref, sc) {
			continue
		}
		if sc.step != nil {
			i := sc.step.Index
			l.bodies[i].uses = append(l.bodies[i].uses, stepUse{ref: ref, when: sc.when})
		}
		switch ref.Root {
		case "var":
			l.use(sc.owner, "variable "+ref.Name)
		case "local", "check":
			l.use(sc.owner, ref.Root+" "+ref.Name)
		}
	}
	return c.refs
}

func (l *loader) use(owner, what string) { l.uses[owner] = append(l.uses[owner], what) }

func (l *loader) checkCall(call *hclsyntax.FunctionCallExpr) {
	if l.diags.Full() || slices.Contains(functionNames, call.Name) {
		return
	}
	d := diag.UnknownFunction.At(call.NameRange, "There is no function %q.", call.Name)
	l.add(diag.Suggest(d, diag.Nearest(call.Name, functionNames)))
}

// checkReference reports a reference that its place does not allow, or whose
// name or attribute is not there.
func (l *loader) checkReference(ref Reference, sc scope) bool {
	if d := l.refuse(ref, sc); d != nil {
		l.add(d)
		return false
	}
	return true
}

func (l *loader) refuse(ref Reference, sc scope) *hcl.Diagnostic {
	switch ref.Root {
	case "var":
		return named(l, ref, "variable", l.rb.Variables)
	case "local":
		if d := named(l, ref, "local", l.rb.Locals); d != nil {
			return d
		}
		if sc.static && l.rb.Locals[ref.Name] != nil {
			return l.refuseDynamic(ref, sc)
		}
		return nil
	case "run":
		switch {
		case ref.Name != "summary":
			return fixed(ref, parts(ref.Root))
		case !sc.notice:
			return diag.NotInScope.At(ref.Range, "\"run.summary\" is what people are told of the run, which only a notify and an escalation can see.")
		}
		return nil
	case "path":
		return fixed(ref, parts(ref.Root))
	case "check":
		if sc.static {
			return diag.NotInScope.At(ref.Range, "%s is read before any check has been observed; it may refer to var, local, run and path only.", upper(sc.place))
		}
		return l.refuseCheck(ref)
	case "step":
		if sc.static {
			return diag.NotInScope.At(ref.Range, "%s is read before any step has run; it may refer to var, local, run and path only.", upper(sc.place))
		}
		return l.refuseStep(ref, sc)
	case "result":
		if !sc.result {
			return diag.NotInScope.At(ref.Range, "\"result\" is what an assertion's probe or check answered; %s", noResult(sc))
		}
		return nil
	case "self":
		if !sc.self {
			return diag.NotInScope.At(ref.Range, "\"self\" is the step's own outcome, which only its verify and its rollback can see. %s is looked at before there is one.", upper(sc.place))
		}
		if d := fixed(ref, parts(ref.Root)); d != nil || !sc.back || ref.Guarded || len(ref.Rest) == 0 {
			return d
		}
		return diag.MayBeNull.At(ref.Range, "self.result is null where the action failed half-way, and then too the step is rolled back. Write try(self.result.…, …), or take the value from a step before this one.")
	case "error":
		if !sc.failed {
			return diag.NotInScope.At(ref.Range, "\"error\" is how an action failed, which only the when of a retry can see.")
		}
		return fixed(ref, parts(ref.Root))
	case "each":
		if !sc.each {
			return diag.NotInScope.At(ref.Range, "\"each\" is an instance's key and value, and there is no for_each here that makes instances.")
		}
		return fixed(ref, parts(ref.Root))
	}
	return l.unknownRoot(ref)
}

func noResult(sc scope) string {
	switch {
	case sc.step != nil && sc.place != "a step" && sc.place != "a when":
		return "this one looks at nothing, or at several checks."
	case sc.step != nil:
		return "to use what another step returned, write step.NAME.result."
	}
	return "there is none here."
}

// named reports a reference whose second part is missing or not declared.
func named[V any](l *loader, ref Reference, what string, declared map[string]V) *hcl.Diagnostic {
	if ref.Name == "" {
		return diag.InvalidReference.At(ref.Range, "%q must be followed by a name, such as %s.NAME: one %s is used at a time.", ref.Root, ref.Root, what)
	}
	if _, ok := declared[ref.Name]; ok || l.rb.incomplete && ref.Root != "step" {
		return nil
	}
	return unknownName(ref.Range, what, ref.Root, ref.Name, declared)
}

// unknownName reports a name that is not declared and suggests one that is.
func unknownName[V any](at hcl.Range, what, root, name string, declared map[string]V) *hcl.Diagnostic {
	d := diag.UnknownName.At(at, "There is no %s %q.", what, name)
	near := diag.Nearest(name, slices.Sorted(maps.Keys(declared)))
	if near == "" {
		return d
	}
	return diag.Suggest(d, root+"."+near)
}

// fixed reports a reference to an attribute that its root does not have.
func fixed(ref Reference, names []string) *hcl.Diagnostic {
	if slices.Contains(names, ref.Name) {
		return nil
	}
	said := ref.Root
	if ref.Name != "" {
		said += "." + ref.Name
	}
	full := make([]string, len(names))
	for i, n := range names {
		full[i] = ref.Root + "." + n
	}
	d := diag.InvalidReference.At(ref.Range, "There is no %s; there is %s.", said, list(full, "and"))
	if near := diag.Nearest(ref.Name, names); near != "" && ref.Name != "" {
		return diag.Suggest(d, ref.Root+"."+near)
	}
	return d
}

func (l *loader) refuseDynamic(ref Reference, sc scope) *hcl.Diagnostic {
	local := l.rb.Locals[ref.Name]
	if local.Static {
		return nil
	}
	var reached string
	l.expand([]Reference{ref}, func(r, _ Reference) {
		if reached == "" && (r.Root == "step" || r.Root == "check") {
			reached = r.Root + "." + r.Name + " at " + place(r.Range)
		}
	})
	return diag.NotInScope.At(ref.Range, "local.%s uses %s. %s is read before any step has run or any check has been observed; it may refer to var, local, run and path only, also through a local.",
		ref.Name, reached, upper(sc.place))
}

func (l *loader) refuseCheck(ref Reference) *hcl.Diagnostic {
	if d := named(l, ref, "check", l.rb.Checks); d != nil {
		return d
	}
	c := l.rb.Checks[ref.Name]
	if whole, d := instances(ref, c != nil && c.ForEach != nil); whole || d != nil {
		return d
	}
	return attribute(ref, parts(ref.Root))
}

// instances reports a reference that has an index and should have none, or the
// other way round. whole tells that it is to all instances together.
func instances(ref Reference, forEach bool) (whole bool, d *hcl.Diagnostic) {
	what := ref.Root + "." + ref.Name
	switch {
	case !forEach && ref.Index != nil:
		near := what
		if ref.Attr != "" {
			near += "." + ref.Attr
		} else if ref.Index.Known {
			near += "." + ref.Index.Key
		}
		return false, diag.Suggest(diag.InvalidReference.At(ref.Range, "%s has no for_each, so it has no instances.", what), near)
	case !forEach || ref.Index != nil:
		return false, nil
	case ref.Attr == "":
		return true, nil
	case ref.Attr == "status" && ref.Root == "step":
		return false, nil
	}
	return false, diag.InvalidReference.At(ref.Range, "%s has a for_each: write %s[\"KEY\"].%s for one instance, or [for k, i in %s : i.%s] for all of them.", what, what, ref.Attr, what, ref.Attr)
}

func (l *loader) unknownRoot(ref Reference) *hcl.Diagnostic {
	src := l.rb.Sources[ref.Range.Filename]
	if b := ref.Range.Start.Byte; b >= 2 && string(src[b-2:b]) == "${" {
		d := diag.ShellInterpolation.At(ref.Range, "There is no %q here. Where ${%s} is meant for a shell or another program, double the dollar sign: $${%s}.", ref.Root, ref.Root, ref.Root)
		return diag.WithSuggestion(d, "$${"+ref.Root+"}")
	}
	d := diag.UnknownName.At(ref.Range, "There is no %q. Names begin with %s.", ref.Root, list(roots(), "or"))
	return diag.Suggest(d, diag.Nearest(ref.Root, roots()))
}

// attribute reports a third part that is missing or not one of the given.
func attribute(ref Reference, names []string) *hcl.Diagnostic {
	if slices.Contains(names, ref.Attr) {
		return nil
	}
	what := ref.Root + "." + ref.Name
	if ref.Attr == "" {
		return diag.InvalidReference.At(ref.Range, "%s is no value by itself: write %s.%s.", what, what, list(names, "or ."))
	}
	d := diag.InvalidReference.At(ref.Range, "%s has no %q; it has %s.", what, ref.Attr, list(names, "and"))
	return diag.Suggest(d, diag.Nearest(ref.Attr, names))
}

func upper(s string) string { return string(s[0]-'a'+'A') + s[1:] }
