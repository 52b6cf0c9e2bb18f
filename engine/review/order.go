package review

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// ordered are findings as a reader meets them: by file, as they were read, and
// place. What several runbooks say of a file that they share is said once.
func ordered(readings []*reading, found []Finding) []Finding {
	rank := map[string]int{}
	for _, r := range readings {
		for _, file := range r.rb.Files {
			if _, known := rank[file]; !known {
				rank[file] = len(rank)
			}
		}
	}
	type key struct {
		id string
		at hcl.Range
	}
	seen := map[key]bool{}
	found = slices.DeleteFunc(found, func(f Finding) bool {
		k := key{f.Rule.ID, *f.Diagnostic.Subject}
		again := seen[k]
		seen[k] = true
		return again
	})
	slices.SortStableFunc(found, func(a, b Finding) int {
		x, y := a.Diagnostic.Subject, b.Diagnostic.Subject
		return cmp.Or(cmp.Compare(rank[x.Filename], rank[y.Filename]), cmp.Compare(x.Start.Byte, y.Start.Byte), cmp.Compare(a.Rule.ID, b.Rule.ID))
	})
	return found
}
