package diag

import "github.com/hashicorp/hcl/v2"

// MaxListed is how many diagnostics a List takes.
const MaxListed = 100

// List gathers the diagnostics of one pass over a file. A file can hold a
// hundred thousand mistakes, each with a text of its own and a name to suggest,
// and nobody reads them: a list takes MaxListed and then only notes that there
// are more. The zero List is empty. It is used by one goroutine.
type List struct {
	diags hcl.Diagnostics
	more  bool
}

// Add takes diagnostics as far as there is room.
func (l *List) Add(diags ...*hcl.Diagnostic) {
	room := min(MaxListed-len(l.diags), len(diags))
	l.diags = append(l.diags, diags[:room]...)
	l.more = l.more || room < len(diags)
}

// Join takes what another list has.
func (l *List) Join(other *List) {
	l.Add(other.diags...)
	l.more = l.more || other.more
}

// Full tells that nothing more is taken: what would be found need not be looked
// for.
func (l *List) Full() bool { return l.more }

// Taken are the diagnostics in the list. The slice is the list's own.
func (l *List) Taken() hcl.Diagnostics { return l.diags }

// Diagnostics are those taken, and one that says so where there are more.
func (l *List) Diagnostics() hcl.Diagnostics {
	if !l.more {
		return l.diags
	}
	return append(l.diags[:len(l.diags):len(l.diags)], TooMany.New("There are more than %d mistakes, and the others are not listed. Mend these first.", MaxListed))
}

// Last tells whether d is what a list ends with where there are more.
func Last(d *hcl.Diagnostic) bool { return ID(d) == string(TooMany) }
