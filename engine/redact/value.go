package redact

import (
	"github.com/zclconf/go-cty/cty"
)

// AddSensitive makes known every secret in v: each string and number that is
// marked, or lies under a mark.
func (r *Redactor) AddSensitive(v cty.Value) {
	r.addSensitive(v, false)
}

func (r *Redactor) addSensitive(v cty.Value, under bool) {
	under = under || v.HasMark(Sensitive)
	v, _ = v.Unmark()
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return
	}
	switch t := v.Type(); {
	case t == cty.String && under:
		r.Add(v.AsString())
	case t == cty.Number && under:
		r.Add(v.AsBigFloat().Text('f', -1))
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			r.addSensitive(element, under)
		}
	}
}
