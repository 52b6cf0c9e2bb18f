package eval

import (
	"context"
	"math/big"
	"math/bits"
	"reflect"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// The bounds of an evaluation.
const (
	maxBytes    = 8 << 20          // of one value
	maxElements = 100_000          // of one collection
	maxTotal    = 64 << 20         // of all strings put together by one evaluation
	maxWork     = 800_000          // units, of about a microsecond each
	maxTime     = 20 * time.Second // whatever the work: a machine that is loaded takes longer for it
	maxExponent = 4096             // binary, of a number: 1e1233
)

// budget is what one evaluation may still use. An expression finds it in its
// EvalContext under a name that no reference can have. Once it is exceeded,
// bounded expressions return at once, loops run dry, and the evaluation reports
// why. It is used by one goroutine.
type budget struct {
	ctx      context.Context
	deadline time.Time
	spent    int // of most
	most     int
	bytes    int
	why      *hcl.Diagnostic
	value    cty.Value // carries the budget through an EvalContext
}

const budgetName = "\x00budget"

var budgetType = cty.Capsule("budget", reflect.TypeFor[budget]())

func newBudget(ctx context.Context, most int) *budget {
	b := &budget{ctx: ctx, deadline: time.Now().Add(maxTime), most: most}
	b.value = cty.CapsuleVal(budgetType, b)
	return b
}

// budgetOf finds the budget of the evaluation that hctx belongs to; nil where
// there is none, as for literals.
func budgetOf(hctx *hcl.EvalContext) *budget {
	for ; hctx != nil; hctx = hctx.Parent() {
		if v, ok := hctx.Variables[budgetName]; ok {
			return v.EncapsulatedValue().(*budget)
		}
	}
	return nil
}

// spend counts work, of which a unit takes about a microsecond, and says whether
// the evaluation may go on.
func (b *budget) spend(work int, at hcl.Range) bool {
	if b.why != nil {
		return false
	}
	before := b.spent
	if b.spent += work; b.spent > b.most {
		b.why = diag.TooSlow.At(at, "The evaluation takes more than %d steps. Nested for expressions multiply, and so do functions of long lists and texts inside one: make the collections smaller, or compute this in a step.", b.most)
	} else if before>>6 != b.spent>>6 {
		b.checkTime(at)
	}
	return b.why == nil
}

func (b *budget) checkTime(at hcl.Range) {
	if b.why != nil {
		return
	}
	if err := b.ctx.Err(); err != nil {
		b.why = diag.TooSlow.At(at, "The evaluation was cut short: %s.", err)
	} else if time.Now().After(b.deadline) {
		b.why = diag.TooSlow.At(at, "The evaluation took longer than %s. Make the collections smaller, or compute this in a step.", maxTime)
	}
}

// produce counts bytes that an expression puts together.
func (b *budget) produce(n int, at hcl.Range) {
	if b.bytes += n; b.bytes > maxTotal && b.why == nil {
		b.why = diag.TooLarge.At(at, "The evaluation put together more than 64 MiB of text.")
	}
}

// weigh counts what it takes to look at a value of any size.
func (b *budget) weigh(v cty.Value, at hcl.Range) bool {
	m := meter{bytes: maxTotal}
	m.add(v)
	return b.spend(m.work, at)
}

// measure refuses a value that is too large.
func (b *budget) measure(v cty.Value, at hcl.Range) {
	if b.why != nil {
		return
	}
	m := meter{bytes: maxBytes}
	m.add(v)
	switch {
	case m.elements:
		b.why = diag.TooLarge.At(at, "The value holds a collection of more than 100,000 elements, which is the most that is worked with.")
	case m.deep:
		b.why = diag.TooLarge.At(at, "The value holds lists and objects more than %d deep, which is the most that is worked with.", maxDepth)
	case m.number:
		b.why = diag.TooLarge.At(at, "The number is too large, or too close to zero, to work with.")
	case m.bytes < 0:
		b.why = diag.TooLarge.At(at, "The value is larger than 8 MiB, which is the most that is worked with.")
	default:
		b.spend(m.work, at)
	}
}

// meter adds up how large a value is, and stops as soon as that is too large.
type meter struct {
	bytes    int // left
	work     int // that looking at it takes
	depth    int
	elements bool
	number   bool
	deep     bool
}

func (m *meter) over() bool { return m.bytes < 0 || m.elements || m.number || m.deep }

func (m *meter) add(v cty.Value) {
	m.bytes -= 8
	m.work++
	if m.over() || v == cty.NilVal || !v.IsKnown() || v.IsNull() {
		return
	}
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case t == cty.String:
		m.bytes -= len(v.AsString())
		m.work += len(v.AsString()) / 32
	case t == cty.Number:
		m.number = isHuge(v.AsBigFloat())
	case t.IsTupleType() || t.IsObjectType() || t.IsCollectionType():
		if v.LengthInt() > maxElements {
			m.elements = true
			return
		}
		if m.depth++; m.depth > maxDepth {
			m.deep = true
			return
		}
		if t.IsSetType() { // cty sorts one each time that somebody walks it
			m.work += v.LengthInt() * bits.Len(uint(v.LengthInt()))
		}
		for k, element := range v.Elements() {
			if m.over() {
				return
			}
			if k.Type() == cty.String && k.IsKnown() && !k.IsMarked() {
				m.bytes -= len(k.AsString())
			}
			m.add(element)
		}
		m.depth--
	}
}

func isHuge(f *big.Float) bool {
	exponent := f.MantExp(nil)
	return f.IsInf() || exponent > maxExponent || exponent < -maxExponent
}
