package export

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// hand is how a person does one operation in a shell.
type hand struct {
	schema.ByHand
	learned []learned // values in it that are known only when it runs
	secrets []*secret // used in it
}

// learned is a text in an argument that is known only when the command runs.
type learned struct {
	stand    string         // what stands for it in the command
	argument string         // for people
	expr     hcl.Expression // the argument's value
	path     cty.Path       // where in that value
}

// byHand asks the provider how a person does an operation; an error says why that
// cannot be told.
func (r *reading) byHand(op *runbook.Operation, kind schema.Kind, x eval.Extra) (*hand, error) {
	config, arguments, learned, err := r.asked(op, kind, x)
	if err != nil {
		return nil, err
	}
	said, err := r.catalog.ByHand(r.ctx, r.rb.Dir, op.Provider, config, schema.Operation{Name: op.Name, Kind: kind, Arguments: arguments})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", op.Type(), err)
	case len(said.Command) == 0:
		return nil, fmt.Errorf("%s has no equivalent command", op.Type())
	}
	h := &hand{ByHand: said, learned: learned}
	return h, h.check(r.book)
}

// asked is what a provider is asked about: its configuration and the operation's
// arguments, in the first world.
func (r *reading) asked(op *runbook.Operation, kind schema.Kind, x eval.Extra) (config, arguments cty.Value, found []learned, err error) {
	provider, ok := r.catalog.Schema(op.Provider)
	if !ok {
		return config, arguments, nil, fmt.Errorf("only the provider %s itself knows how %s is done", op.Provider, op.Type())
	}
	spec := provider.Operation(kind, op.Name)
	if spec == nil {
		return config, arguments, nil, fmt.Errorf("the provider %s has no %s %s", op.Provider, kind, op.Name)
	}
	body := hcl.EmptyBody()
	if p := r.rb.Providers[op.Ref]; p != nil {
		body = p.Body
	}
	config, more, err := r.body(body, provider.Config, eval.Extra{})
	if err == nil && len(more) > 0 {
		err = fmt.Errorf("%s depends on the run", more[0].argument)
	}
	if err != nil {
		return config, arguments, nil, fmt.Errorf("the configuration of %s: %w", op.Ref, err)
	}
	arguments, found, err = r.body(op.Body, spec.Arguments, x)
	if err != nil {
		err = fmt.Errorf("%s: %w", op.Type(), err)
	}
	return config, arguments, found, err
}

// body evaluates arguments in both worlds. What is known only at run time is
// listed, and a text stands for it.
func (r *reading) body(body hcl.Body, spec schema.Object, x eval.Extra) (cty.Value, []learned, error) {
	var worlds [2]cty.Value
	for w, scope := range r.worlds {
		if r.slow > patienceWithSlow {
			return cty.NilVal, nil, errors.New("its arguments take too long to evaluate")
		}
		v, diags := scope.Body(r.ctx, body, spec, x)
		if diags.HasErrors() {
			r.tooSlow(diags)
			return cty.NilVal, nil, errors.New(cmp.Or(diags[0].Detail, diags[0].Summary))
		}
		worlds[w], _ = v.UnmarkDeep()
	}
	attrs, _ := body.JustAttributes()
	values := worlds[0].AsValueMap()
	var all []learned
	for _, name := range slices.Sorted(maps.Keys(values)) {
		attr := attrs[name]
		if attr == nil {
			continue
		}
		l := leaves{book: r.book, argument: name, expr: attr.Expr, taken: len(all)}
		value, err := l.settle(values[name], worlds[1].GetAttr(name))
		if err != nil {
			return cty.NilVal, nil, err
		}
		values[name] = value
		all = append(all, l.found...)
	}
	return cty.ObjectVal(values), all, nil
}

// leaves goes through one argument of two worlds.
type leaves struct {
	*book
	argument string
	expr     hcl.Expression
	taken    int
	found    []learned
}

// settle makes one value of those of two worlds, with a text where they differ by
// more than secrets.
func (l *leaves) settle(one, other cty.Value) (cty.Value, error) {
	return cty.TransformWithTransformer(one, &settler{l, other})
}

type settler struct {
	*leaves
	other cty.Value
}

// Enter implements cty.Transformer.
func (s *settler) Enter(_ cty.Path, v cty.Value) (cty.Value, error) { return v, nil }

// Exit implements cty.Transformer.
func (s *settler) Exit(path cty.Path, v cty.Value) (cty.Value, error) {
	if v.IsKnown() && (v.IsNull() || !v.Type().IsPrimitiveType()) {
		return v, nil
	}
	other, err := path.Apply(s.other)
	if err != nil {
		return v, fmt.Errorf("%s depends on what is known only when it runs", s.argument)
	}
	text := v.Type() == cty.String
	switch {
	case !v.IsKnown() && (text || v.Type() == cty.DynamicPseudoType && len(path) > 0):
		v = cty.StringVal(s.book.text(0, fmt.Sprintf("argument%d", s.taken+len(s.found))))
	case !v.IsKnown():
		return v, fmt.Errorf("%s is known only once earlier steps have run, and is no text", s.argument)
	case v.RawEquals(other), text && other.IsKnown() && other.Type() == cty.String && !other.IsNull() && s.alike(v.AsString(), other.AsString()):
		return v, nil
	case !text:
		return v, fmt.Errorf("%s depends on the run, and is no text", s.argument)
	case len(v.AsString()) < shortest:
		v = cty.StringVal(s.book.text(0, fmt.Sprintf("argument%d", s.taken+len(s.found))))
	}
	s.found = append(s.found, learned{stand: v.AsString(), argument: s.argument, expr: s.expr, path: path.Copy()})
	return v, nil
}

// shortest is how long a text is at least that stands for itself: a shorter one
// may be in a command for another reason.
const shortest = 8

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check finds what keeps a command from being written down: a secret where
// everybody could read it, a value that is known only at run time and that the
// command does not show, or what no shell can hold.
func (h *hand) check(b *book) error {
	rest := append([]string{h.Stdin, h.Dir}, slices.Collect(maps.Values(h.Env))...)
	everything := append(slices.Clone(h.Command), rest...)
	shown := strings.Join(everything, "\n")
	if strings.ContainsRune(shown, 0) {
		return errors.New("its command holds a NUL, which no shell can pass on")
	}
	for name := range h.Env {
		if !variableName.MatchString(name) {
			return fmt.Errorf("no shell has an environment variable %q", name)
		}
	}
	for _, s := range b.secrets {
		if !strings.Contains(shown, s.texts[0]) {
			continue
		}
		h.secrets = append(h.secrets, s)
		if s.secret && strings.Contains(strings.Join(h.Command, "\n")+h.Dir, s.texts[0]) {
			return fmt.Errorf("everybody on the machine could read %s in its command line", s.variable)
		}
	}
	for _, l := range h.learned {
		if !strings.Contains(shown, l.stand) {
			return fmt.Errorf("its command does not show where %s belongs, which is known only when it runs", l.argument)
		}
	}
	return nil
}
