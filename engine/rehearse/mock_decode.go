package rehearse

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mocks decodes those of a test and of its file, the test's first, against the
// schemas of what they stand for.
func (f *File) mocks(ctx context.Context, t *Test, scope *eval.Scope, schemas plan.Schemas) ([]*mock, hcl.Diagnostics) {
	d := &mocker{decoder: decoder{rb: f.Runbook}, ctx: ctx, scope: scope, schemas: schemas}
	var all []*mock
	for i, blocks := range [][]*hclsyntax.Block{t.blocks, f.blocks} {
		known := map[string]bool{}
		for _, block := range blocks {
			m := d.mock(block)
			if m == nil {
				continue
			}
			if key := m.operation + " " + m.at; known[key] {
				d.add(diag.Duplicate.At(block.DefRange(), "%s is already mocked here for the same place.", m.operation))
			} else {
				known[key] = true
			}
			m.own = i == 0
			all = append(all, m)
		}
	}
	return all, d.diags.Diagnostics()
}

type mocker struct {
	decoder
	ctx     context.Context
	scope   *eval.Scope
	schemas plan.Schemas
}

func (d *mocker) mock(block *hclsyntax.Block) *mock {
	if len(block.Labels) != 1 {
		d.add(diag.InvalidLabel.At(block.DefRange(), "A mock block names what it stands for: mock \"postgres.query\" { … } or mock \"check.bars\" { … }"))
		return nil
	}
	m := &mock{operation: block.Labels[0], says: map[schema.Kind]*script{}}
	if attr := block.Body.Attributes["at"]; attr != nil {
		if m.at = d.reference(attr.Expr); m.at != "" {
			d.place(m.at, attr.Expr.Range())
		}
	}
	subjects := d.subjects(m, block.LabelRanges[0])
	if len(subjects) == 0 {
		return nil
	}
	words := wordsOf(subjects)
	d.words("mock", block.Body, append([]string{"at"}, words...), []string{"after"})
	for kind, a := range d.answers(block, subjects, nil) {
		m.says[kind] = &script{first: a}
	}
	for _, b := range block.Body.Blocks {
		if b.Type != "after" {
			continue
		}
		if len(b.Labels) != 1 {
			d.add(diag.InvalidLabel.At(b.DefRange(), "An after block names an action: after \"feast.apply\" { … }"))
			continue
		}
		d.words("after", b.Body, append([]string{"at"}, words...), nil)
		d.after(m, b, subjects)
	}
	return m
}

// after decodes what a mock says once an action has done its work.
func (d *mocker) after(m *mock, block *hclsyntax.Block, subjects []subject) {
	next := after{action: block.Labels[0]}
	u := d.operation(next.action, block.LabelRanges[0])
	switch {
	case u == nil:
		return
	case !slices.Contains(u.kinds, schema.Action):
		d.add(diag.InvalidLabel.At(block.LabelRanges[0], "An after block names an action, which changes the world; %s is a probe.", next.action))
		return
	}
	if attr := block.Body.Attributes["at"]; attr != nil {
		if next.at = d.reference(attr.Expr); next.at != "" {
			if d.place(next.at, attr.Expr.Range()); slices.Contains(d.allPlaces(), plainly(next.at)) && !acts(d.rb, next.at) {
				d.add(diag.InvalidReference.At(attr.Expr.Range(), "%s does nothing: name a step, its fallback or its rollback.", next.at))
			}
		}
	}
	for kind, a := range d.answers(block, subjects, m) {
		n := next
		n.answer = a
		m.says[kind].after = append(m.says[kind].after, n)
	}
}

// subject is what a mock stands for, as a probe or as an action.
type subject struct {
	kind   schema.Kind
	result schema.Object
	counts []string // units
	words  []string // that its mock may say
}

// subjects are what a mock stands for; none: there is nothing of that name,
// which is reported. A probe and an action of one name are both meant, where the
// mock's place does not tell.
func (d *mocker) subjects(m *mock, at hcl.Range) []subject {
	if check, ok := strings.CutPrefix(m.operation, checkProvider+"."); ok {
		if !slices.ContainsFunc(d.rb.Tree(), func(rb *runbook.Runbook) bool { return rb.Checks[check] != nil }) {
			d.place(m.operation, at)
			return nil
		}
		return []subject{{kind: schema.Probe, words: []string{"holds", "status", "takes"}}}
	}
	u := d.operation(m.operation, at)
	if u == nil {
		return nil
	}
	provider, err := d.schemas.Schema(d.ctx, u.op.Provider)
	if err != nil {
		d.add(diag.UnknownProvider.At(at, "The provider %q cannot be used: %s.", u.op.Provider, err))
		return nil
	}
	var subjects []subject
	for _, kind := range u.kinds {
		spec := provider.Operation(kind, u.op.Name)
		switch {
		case spec == nil: // validate reports it
		case kind == schema.Probe:
			subjects = append(subjects, subject{kind, spec.Result, nil, []string{"returns", "fails", "takes"}})
		case m.at == "" || acts(d.rb, m.at): // no assertion acts
			subjects = append(subjects, subject{kind, spec.Result, spec.Counts, []string{"returns", "fails", "clean", "unknown", "takes", "impact"}})
		}
	}
	return subjects
}

func wordsOf(subjects []subject) []string {
	var words []string
	for _, s := range subjects {
		for _, word := range s.words {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

// answers decode what a mock or its after says, for each kind of what it stands
// for; base is the mock that an after goes on from.
func (d *mocker) answers(block *hclsyntax.Block, subjects []subject, base *mock) map[schema.Kind]answer {
	all := map[schema.Kind]answer{}
	said := d.said(block, subjects)
	for i, s := range subjects {
		a := said.answer
		a.returns = object(s.result, said.fields[i])
		if base != nil {
			first := base.says[s.kind].first
			if block.Body.Attributes["takes"] == nil {
				a.takes = first.takes
			}
			if block.Body.Attributes["impact"] == nil {
				a.impact = first.impact
			}
		}
		all[s.kind] = a
	}
	return all
}
