package eval

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Sources says where the values of variables may come from.
type Sources struct {
	Environ     func(string) (string, bool) // looks up an environment variable; nil: there are none
	Environment string                      // --environment; empty: none
	VarFiles    []string                    // --var-file, weakest first
	Vars        []string                    // --var, NAME=VALUE, weakest first
	Recorded    map[string]cty.Value        // what the run was started with, by Recorded name: stronger than all others

	frame  string               // the instance of a step that calls the runbook; empty: none does
	called map[string]given     // what its call gives
	shared map[string]cty.Value // what another runbook of the run has found already
	parsed map[string]parsed    // files that were read already, by path; nil: none is kept
}

// RecordedName is under which name the record keeps a variable of the runbook
// that is called at an address; empty: of the outermost.
func RecordedName(address, name string) string {
	if address == "" {
		return name
	}
	return address + ":" + name
}

// Variables gives every variable that the runbook reaches its value: the
// strongest of default, env, file, RUNBOOK_VAR_name, NAME.vars.hcl beside the
// runbook, environments/E.vars.hcl, --var-file and --var. Values are converted
// to the variable's type, validated, and marked where the variable is
// sensitive. All mistakes are reported.
func Variables(rb *runbook.Runbook, src Sources) (map[string]cty.Value, hcl.Diagnostics) {
	g := &gatherer{rb: rb, src: src, given: map[string]given{}}
	for _, name := range slices.Sorted(maps.Keys(rb.Variables)) {
		g.declared(rb.Variables[name])
	}
	base := strings.TrimSuffix(filepath.Base(rb.File), filepath.Ext(rb.File))
	beside := filepath.Join(filepath.Dir(rb.File), base+".vars.hcl")
	if _, err := os.Lstat(beside); err == nil {
		g.file(beside)
	}
	if src.Environment != "" {
		g.environment(src.Environment)
	}
	for _, f := range src.VarFiles {
		g.file(f)
	}
	for _, v := range src.Vars {
		g.flag(v)
	}
	for name, value := range src.called {
		g.given[name] = value
	}
	for name := range rb.Variables {
		if value, ok := src.Recorded[RecordedName(src.frame, name)]; ok {
			g.given[name] = given{value: value, from: "the record of the run"}
		}
	}
	return g.finish()
}

// given is a value as one source gave it.
type given struct {
	value cty.Value
	from  string     // "--var", "environment variable X", …
	at    *hcl.Range // nil where it came from no file

	discreet bool // the lines that it stands in are not to be shown
}

type gatherer struct {
	rb    *runbook.Runbook
	src   Sources
	given map[string]given
	diags diag.List
	bad   map[string]bool // given, but unusable, and reported
}

func (g *gatherer) add(d *hcl.Diagnostic) { g.diags.Add(d) }

func (g *gatherer) spoil(name string) {
	if g.bad == nil {
		g.bad = map[string]bool{}
	}
	g.bad[name] = true
}

// declared takes what the variable's own block says: default, env, file; and
// the environment variable that overrides these.
func (g *gatherer) declared(v *runbook.Variable) {
	if v.Default != cty.NilVal {
		g.given[v.Name] = given{value: v.Default, from: "its default", at: v.Range.Ptr()}
	}
	if !v.Reached {
		return
	}
	if v.Env != "" {
		if text, ok := g.environ(v.Env); ok {
			g.text(v, text, "the environment variable "+v.Env)
		}
	}
	if v.File != "" {
		g.contents(v)
	}
	if text, ok := g.environ("RUNBOOK_VAR_" + v.Name); ok {
		g.text(v, text, "the environment variable RUNBOOK_VAR_"+v.Name)
	}
}

func (g *gatherer) environ(name string) (string, bool) {
	if g.src.Environ == nil {
		return "", false
	}
	return g.src.Environ(name)
}

// contents reads the file that a variable names. One that is not there gives no
// value; one that cannot be read is reported.
func (g *gatherer) contents(v *runbook.Variable) {
	path := v.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(g.rb.Dir, path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if os.IsNotExist(err) {
		return
	}
	var b []byte
	if err == nil {
		defer f.Close()
		b, err = io.ReadAll(io.LimitReader(f, maxBytes+1))
	}
	switch {
	case err != nil:
		g.spoil(v.Name)
		g.add(diag.InvalidVariable.At(v.Range, "The file %s, which holds %q, cannot be read: %s.", v.File, v.Name, reason(err)))
	case len(b) > maxBytes:
		g.spoil(v.Name)
		g.add(diag.InvalidVariable.At(v.Range, "The file %s, which holds %q, is larger than 8 MiB.", v.File, v.Name))
	default:
		text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		g.text(v, text, "the file "+v.File)
	}
}

// text takes a value that arrived as text: as it is for strings, numbers and
// booleans, as an HCL expression for all else.
func (g *gatherer) text(v *runbook.Variable, text, from string) {
	if v.Type.IsPrimitiveType() || v.Type == cty.DynamicPseudoType {
		g.given[v.Name] = given{value: cty.StringVal(text), from: from}
		return
	}
	value, detail := parseValue(text)
	if detail != "" {
		g.spoil(v.Name)
		if v.Sensitive {
			detail = "it is no HCL value"
		}
		g.add(diag.InvalidVariable.At(v.Range, "The value of %q from %s cannot be read: %s. A %s is written as in HCL, such as [\"a\", \"b\"] or { key = \"value\" }.",
			v.Name, from, detail, v.Type.FriendlyNameForConstraint()))
		return
	}
	g.given[v.Name] = given{value: value, from: from}
}

// parseValue reads an HCL expression without references and functions.
func parseValue(text string) (cty.Value, string) {
	if diags := runbook.ScanExpression("value", []byte(text)); diags.HasErrors() {
		return cty.NilVal, diags[0].Detail
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "value", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, strings.TrimSuffix(diags[0].Detail, ".")
	}
	v, diags := evaluateAlone(expr)
	if diags.HasErrors() {
		return cty.NilVal, strings.TrimSuffix(diags[0].Detail, ".")
	}
	return v, ""
}

// evaluateAlone evaluates an expression in an empty scope, within a budget.
func evaluateAlone(expr hclsyntax.Expression) (cty.Value, hcl.Diagnostics) {
	b := newBudget(context.Background(), maxWork)
	v, diags := binder{}.bound(expr).Value(&hcl.EvalContext{Variables: map[string]cty.Value{budgetName: b.value}})
	b.measure(v, expr.Range())
	if b.why != nil {
		return cty.DynamicVal, hcl.Diagnostics{b.why}
	}
	return v, diag.Adopt(diag.InvalidVariable, diags)
}

// environment takes environments/E.vars.hcl, which must be there.
func (g *gatherer) environment(name string) {
	dir := filepath.Join(filepath.Dir(g.rb.File), "environments")
	if name != filepath.Base(name) || name == "." || name == ".." {
		g.add(diag.InvalidVariable.New("%q is no name of an environment: it may hold no slash.", name))
		return
	}
	path := filepath.Join(dir, name+".vars.hcl")
	if _, err := os.Lstat(path); err == nil {
		g.file(path)
		return
	}
	d := diag.InvalidVariable.New("There is no environment %q: no file %s.", name, path)
	found, err := filepath.Glob(filepath.Join(dir, "*.vars.hcl"))
	if err == nil {
		for i, f := range found {
			found[i] = strings.TrimSuffix(filepath.Base(f), ".vars.hcl")
		}
		diag.Suggest(d, diag.Nearest(name, found))
	}
	g.add(d)
}

// flag takes one --var.
func (g *gatherer) flag(said string) {
	name, text, ok := strings.Cut(said, "=")
	if !ok {
		g.add(diag.InvalidVariable.New("--var takes NAME=VALUE, not %q.", said))
		return
	}
	name = strings.TrimSpace(name)
	v, ok := g.rb.Variables[name]
	switch {
	case !ok:
		g.undeclared(name, "--var", nil)
	case v.Sensitive:
		g.spoil(name)
		g.add(diag.SensitiveOnCommand.New("The variable %q is sensitive, and everybody on this machine can read a command line. Give it by %s.", name, strings.Join(g.ways(v, false), ", or ")))
	default:
		g.text(v, text, "--var")
	}
}

func (g *gatherer) undeclared(name, from string, at *hcl.Range) *hcl.Diagnostic {
	d := diag.UndeclaredVariable.New("%s names the variable %q, which the runbook does not declare.", from, name)
	d.Subject = at
	g.add(diag.Suggest(d, diag.Nearest(name, slices.Sorted(maps.Keys(g.rb.Variables)))))
	return d
}

// ways lists how a variable can be given, best first.
func (g *gatherer) ways(v *runbook.Variable, flag bool) []string {
	var list []string
	if g.src.frame != "" {
		list = append(list, fmt.Sprintf("variables = { %s = … } in the call of %s", v.Name, g.src.frame))
		flag = false
	}
	if v.Env != "" {
		list = append(list, "the environment variable "+v.Env)
	}
	if v.File != "" {
		list = append(list, "the file "+v.File)
	}
	list = append(list, "the environment variable RUNBOOK_VAR_"+v.Name)
	if g.src.frame == "" {
		list = append(list, fmt.Sprintf("a line %s = … in a file for --var-file, in NAME.vars.hcl beside the runbook or in environments/E.vars.hcl", v.Name))
	}
	if flag {
		list = append(list, "--var "+v.Name+"=…")
	}
	return list
}
