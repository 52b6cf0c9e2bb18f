package runbook

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// calls is the tree of runbooks that call each other, while it is loaded. Each
// file is loaded once, however often it is called.
type calls struct {
	path   []caller            // from the outermost to the one being loaded
	loaded map[string]*Runbook // by real path; nil: it could not be loaded, which is reported
	bytes  int                 // of all files read
	tokens int                 // of all files scanned
}

// caller is a file that is being loaded, and the call that leads on from it.
type caller struct {
	file, real string
	at         hcl.Range
}

// pendingCall is a call whose runbook is loaded once this one is decoded.
type pendingCall struct {
	call *Call
	at   hcl.Range // of the path
}

func (l *loader) decodeCall(s *Step, block *hclsyntax.Block) *Call {
	l.noLabel(block)
	l.checkWords(block.Body, callBlock)
	c := &Call{Range: block.DefRange()}
	if l.required(block, "runbook") != nil {
		if v, at, ok := l.value(block.Body, "runbook", cty.String); ok {
			c.File = v.AsString()
			l.calls = append(l.calls, pendingCall{call: c, at: at})
		}
	}
	if attr := block.Body.Attributes["variables"]; attr != nil {
		c.Variables = l.callVariables(attr)
	}
	return c
}

func (l *loader) callVariables(attr *hclsyntax.Attribute) []CallVariable {
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		l.add(diag.WrongType.At(attr.Expr.Range(), "\"variables\" takes an object that is written out: { name = value }."))
		return nil
	}
	var vars []CallVariable
	seen := map[string]bool{}
	for _, p := range pairs {
		name := hcl.ExprAsKeyword(p.Key)
		if name == "" {
			if v, diags := p.Key.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				name = v.AsString()
			}
		}
		switch at := p.Key.Range(); {
		case name == "":
			l.add(diag.InvalidArgument.At(at, "The name of a variable is written out."))
		case seen[name]:
			l.add(diag.Duplicate.At(at, "%q is already given.", name))
		default:
			seen[name] = true
			vars = append(vars, CallVariable{Name: name, Value: p.Value, Range: at})
		}
	}
	return vars
}

// call loads what a step calls.
func (l *loader) call(p pendingCall) {
	name, path, root, why := l.resolve("call", p.call.File)
	if why != "" {
		l.add(diag.InvalidCall.At(p.at, "%s", why))
		return
	}
	if l.callsItself(p, path) {
		return
	}
	rb, known := l.tree.loaded[path]
	if !known {
		own, _ := filepath.EvalSymlinks(filepath.Join(l.rb.Dir, filepath.Base(l.rb.File))) // it has been read
		l.tree.path = append(l.tree.path, caller{l.rb.File, own, p.at})
		read, found, diags := load(name, path, root, l.tree)
		l.tree.path = l.tree.path[:len(l.tree.path)-1]
		l.diags.Join(diags)
		l.adopt(read)
		if rb = read; !found {
			rb = nil
		}
		l.tree.loaded[path] = rb
	}
	if rb == nil {
		return
	}
	p.call.Runbook = rb
	l.adopt(rb)
	if l.size += 1 + rb.size; l.size > maxSteps {
		l.size = 0 // said once
		l.add(diag.InvalidCall.At(p.at, "With this call the runbook has more than %d steps: calls of calls multiply.", maxSteps))
	}
	l.checkCallVariables(p.call)
}

// adopt takes over the text of what a called runbook consists of, for
// diagnostics and for the record.
func (l *loader) adopt(called *Runbook) {
	if called == nil {
		return
	}
	for _, file := range called.Files {
		if text, ok := called.Sources[file]; ok && l.rb.Sources[file] == nil {
			l.rb.Sources[file] = text
			l.rb.Files = append(l.rb.Files, file)
		}
	}
}

// callsItself reports a call that leads back to a runbook that is being loaded.
func (l *loader) callsItself(p pendingCall, path string) bool {
	own, _ := filepath.EvalSymlinks(filepath.Join(l.rb.Dir, filepath.Base(l.rb.File)))
	chain := append(slices.Clone(l.tree.path), caller{l.rb.File, own, p.at})
	first := slices.IndexFunc(chain, func(c caller) bool { return c.real == path })
	if first < 0 {
		return false
	}
	chain = chain[first:]
	var files, edges []string
	for i, c := range chain {
		files = append(files, c.file)
		edges = append(edges, fmt.Sprintf("%s calls %s at %s", c.file, chain[(i+1)%len(chain)].file, place(c.at)))
	}
	l.add(diag.Cycle.At(p.at, "These runbooks call each other: %s → %s.\n%s.", strings.Join(files, " → "), files[0], strings.Join(edges, ",\n")))
	return true
}

// checkCallVariables reports values for variables that the called runbook does
// not have, or that are shared by all of the run.
func (l *loader) checkCallVariables(c *Call) {
	var own []string
	for name, v := range c.Runbook.Variables {
		if v.Range.Filename == c.Runbook.File {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	for _, given := range c.Variables {
		v := c.Runbook.Variables[given.Name]
		switch {
		case v == nil:
			d := diag.UndeclaredVariable.At(given.Range, "%s declares no variable %q.", c.Runbook.File, given.Name)
			l.add(suggestWord(d, given.Name, own))
		case v.Range.Filename != c.Runbook.File:
			l.add(diag.InvalidCall.At(given.Range, "%q is a variable of %s, which has one value in a run. Give it where the run is started.", given.Name, v.Range.Filename))
		}
	}
}

// visitCall looks at the values that a call gives: they are known before the
// run, and so is which instances of it there are.
func (l *loader) visitCall(s *Step, sc scope) {
	if s.Call == nil {
		return
	}
	sc.place, sc.static, sc.step = "a call's variables", true, nil
	for _, v := range s.Call.Variables {
		l.visit(v.Value, sc)
	}
}

// visitForEach applies the rules of a step's for_each.
func (l *loader) visitForEach(s *Step, refs []Reference) {
	l.noSecretKeys(refs, s.ForEach)
	if s.Call == nil {
		return
	}
	said := false
	l.expand(refs, func(r, via Reference) {
		if !said && (r.Root == "step" || r.Root == "check") {
			said = true
			l.add(diag.NotInScope.At(via.Range, "The instances of a call are known before the run, since each has variables of its own: this for_each may refer to var, local, run and path only, also through a local, not to %s.%s.", r.Root, r.Name))
		}
	})
}

// noSecretKeys reports a for_each over what is sensitive: its keys are in
// addresses, which are shown everywhere.
func (l *loader) noSecretKeys(refs []Reference, over hcl.Expression) {
	unmarked := false
	hclsyntax.VisitAll(over.(hclsyntax.Node), func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		unmarked = unmarked || ok && call.Name == "nonsensitive"
		return nil
	})
	if unmarked {
		return // whether enough of it is unmarked is seen when it is evaluated
	}
	said := map[string]bool{}
	var visit func(refs []Reference, via *Reference)
	seen := map[string]bool{}
	visit = func(refs []Reference, via *Reference) {
		for i := range refs {
			r := &refs[i]
			from := via
			if from == nil {
				from = r
			}
			switch v := l.rb.Variables[r.Name]; {
			case r.Root == "var" && v != nil && v.Sensitive && !said[r.Name]:
				said[r.Name] = true
				l.add(diag.InvalidForEach.At(from.Range, "var.%s is sensitive, and the keys of a for_each are part of addresses, which are shown and recorded. Loop over names that are no secrets.", r.Name))
			case r.Root == "local" && l.rb.Locals[r.Name] != nil && !seen[r.Name]:
				seen[r.Name] = true
				visit(l.rb.Locals[r.Name].References, from)
			}
		}
	}
	visit(refs, nil)
}
