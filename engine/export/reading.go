package export

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Catalog answers for bundled providers without starting a process.
type Catalog interface {
	// Schema is nil and false for a provider that is not bundled.
	Schema(name string) (*schema.Provider, bool)
	// ByHand is pure; config and arguments carry no marks. dir is the runbook's
	// folder.
	ByHand(ctx context.Context, dir, provider string, config cty.Value, op schema.Operation) (schema.ByHand, error)
	// Describe is pure likewise.
	Describe(ctx context.Context, dir, provider string, config cty.Value, op schema.Operation) (schema.Description, error)
}

// Inputs are where the values of variables come from. A sensitive variable has
// none here: its value is nowhere in what is written.
type Inputs struct {
	Environ     func(string) (string, bool) // nil: there is no environment
	Environment string
	VarFiles    []string
	Vars        []string
	Lenient     bool // a variable without a value is no mistake: its name stands for it
}

// reading is a runbook of which nothing has been looked at. Its expressions are
// evaluated in two worlds, which differ in what nobody knows before a run: when
// it begins, its ID, and every secret. What comes out alike in both is known; and
// where a text differs only by the texts that stand for secrets, it is known where
// in it which secret belongs.
type reading struct {
	*book
	rb      *runbook.Runbook
	address string // of the step that calls it; empty: the outermost
	vars    [2]map[string]cty.Value
	worlds  [2]*eval.Scope
}

// book is what the readings of one export share.
type book struct {
	ctx     context.Context // of the one call that makes the export
	catalog Catalog
	prefix  string // of every stand-in; in no source
	secrets []*secret
	lenient bool
	environ func(string) (string, bool)
	slow    int // evaluations that took too long
}

// patienceWithSlow is how many expressions may be too slow before no more are
// evaluated: what nobody vouches for must not keep a reader waiting.
const patienceWithSlow = 0

// tooSlow notes what was found to take too long, or to grow too large.
func (b *book) tooSlow(diags hcl.Diagnostics) {
	for _, d := range diags {
		if id := diag.ID(d); id == string(diag.TooSlow) || id == string(diag.TooLarge) {
			b.slow++
			return
		}
	}
}

// secret is a variable whose value is not known: it is read from the environment
// when the script runs.
type secret struct {
	variable string
	env      string    // the environment variable that holds it
	texts    [2]string // what stands for it in each world
	secret   bool      // else it merely has no value
}

// newReading evaluates the variables of a runbook.
func newReading(ctx context.Context, rb *runbook.Runbook, catalog Catalog, in Inputs) (*reading, hcl.Diagnostics) {
	b := &book{ctx: ctx, catalog: catalog, prefix: "standin", lenient: in.Lenient, environ: in.Environ}
	for _, each := range rb.Tree() {
		for _, source := range each.Sources {
			for strings.Contains(string(source), b.prefix) {
				b.prefix += "x"
			}
		}
	}
	src := eval.Sources{Environ: in.Environ, Environment: in.Environment, VarFiles: in.VarFiles, Vars: in.Vars}
	return b.read(rb, "", src, [2]map[string]cty.Value{})
}

// read evaluates the variables of one runbook; given are those that a call gives,
// or that another runbook of the tree has found already.
func (b *book) read(rb *runbook.Runbook, address string, src eval.Sources, given [2]map[string]cty.Value) (*reading, hcl.Diagnostics) {
	standing := *rb
	standing.Variables = maps.Clone(rb.Variables)
	r := &reading{book: b, rb: rb, address: address}
	recorded := [2]map[string]cty.Value{{}, {}}
	for _, name := range slices.Sorted(maps.Keys(rb.Variables)) {
		v := *rb.Variables[name]
		if value, ok := given[0][name]; ok {
			recorded[0][name], recorded[1][name] = value, given[1][name]
			if redact.IsSensitive(value) {
				v.Validations = nil
			}
			standing.Variables[name] = &v
			continue
		}
		if !v.Reached || !v.Sensitive && !(b.lenient && v.Default == cty.NilVal) {
			continue
		}
		s := b.stand(&v)
		recorded[0][name], recorded[1][name] = cty.StringVal(s.texts[0]), cty.StringVal(s.texts[1])
		// Nothing is known of the value: neither its type nor whether it is valid.
		v.Type, v.Defaults, v.Default, v.Validations, v.Env, v.File = cty.DynamicPseudoType, nil, cty.NilVal, nil, "", ""
		standing.Variables[name] = &v
	}
	for w := range r.worlds {
		src.Recorded = recorded[w]
		vars, diags := eval.Variables(&standing, src)
		if diags.HasErrors() {
			return nil, diags
		}
		r.vars[w] = vars
		r.worlds[w] = eval.New(&standing, vars, b.run(w, src.Environment), nil)
	}
	return r, nil
}

// run is a run of a world.
func (b *book) run(world int, environment string) eval.Run {
	return eval.Run{
		ID: b.text(world, "run"), StartedAt: time.Date(2001+world, time.Month(2+world), 3+world, 4, 5, 6+world, 0, time.UTC),
		Operator: b.text(world, "operator"), Environment: environment,
	}
}

func (b *book) text(world int, name string) string {
	return fmt.Sprintf("%s%c%sq", b.prefix, 'a'+world, name)
}

// stand makes the stand-in of a variable's value.
func (b *book) stand(v *runbook.Variable) *secret {
	env := v.Env
	if env == "" {
		env = "RUNBOOK_VAR_" + strings.ReplaceAll(v.Name, "-", "_")
	}
	for _, s := range b.secrets {
		if s.env == env && s.variable == v.Name {
			return s
		}
	}
	s := &secret{variable: v.Name, env: env, secret: v.Sensitive}
	for w := range s.texts {
		s.texts[w] = b.text(w, fmt.Sprintf("%03d", len(b.secrets)))
	}
	b.secrets = append(b.secrets, s)
	return s
}

// alike says whether two texts, one of each world, differ by stand-ins of
// secrets alone.
func (b *book) alike(one, other string) bool {
	for _, s := range b.secrets {
		one = strings.ReplaceAll(one, s.texts[0], s.texts[1])
	}
	return one == other
}

// value evaluates an expression in both worlds. ok is false where it cannot be
// evaluated in one of them.
func (r *reading) value(expr hcl.Expression, want cty.Type, x eval.Extra) (values [2]cty.Value, ok bool) {
	for w, scope := range r.worlds {
		if r.slow > patienceWithSlow {
			return values, false
		}
		v, diags := scope.Value(r.ctx, expr, want, x)
		if diags.HasErrors() {
			r.tooSlow(diags)
			return values, false
		}
		values[w] = v
	}
	return values, true
}

// known evaluates an expression whose value is the same whenever it is looked at,
// and no secret.
func (r *reading) known(expr hcl.Expression, x eval.Extra) (cty.Value, bool) {
	values, ok := r.value(expr, cty.DynamicPseudoType, x)
	if !ok || redact.IsSensitive(values[0]) || !values[0].IsWhollyKnown() || !values[1].IsWhollyKnown() {
		return cty.NilVal, false
	}
	return values[0], values[0].RawEquals(values[1])
}

// called is the runbook that a step calls, read with what the call gives it.
func (r *reading) called(step *runbook.Step, address string, x eval.Extra) (*reading, hcl.Diagnostics) {
	given := [2]map[string]cty.Value{{}, {}}
	for name, v := range step.Call.Runbook.Variables {
		if ours := r.rb.Variables[name]; ours != nil && ours.Range.Filename == v.Range.Filename && v.Range.Filename != step.Call.Runbook.File {
			for w := range given {
				if value, ok := r.vars[w][name]; ok {
					given[w][name] = value
				}
			}
		}
	}
	for _, v := range step.Call.Variables {
		for w, scope := range r.worlds {
			value, diags := scope.Value(r.ctx, v.Value, cty.DynamicPseudoType, x)
			if diags.HasErrors() {
				return nil, diags
			}
			given[w][v.Name] = value
		}
	}
	return r.read(step.Call.Runbook, address, eval.Sources{Environ: r.environ}, given)
}
