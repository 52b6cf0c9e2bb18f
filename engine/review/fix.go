package review

import (
	"cmp"
	"slices"
)

// Fix makes the edits of findings in the texts of files, and returns those that
// changed, by name. Edits that overlap one made already are left for the next
// time.
func Fix(sources map[string][]byte, found []Finding) map[string][]byte {
	edits := map[string][]Edit{}
	for _, f := range found {
		for _, e := range f.Edits {
			edits[e.Range.Filename] = append(edits[e.Range.Filename], e)
		}
	}
	fixed := map[string][]byte{}
	for name, list := range edits {
		slices.SortStableFunc(list, func(a, b Edit) int { return cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte) })
		source := sources[name]
		var text []byte
		at := 0
		for _, e := range list {
			if e.Range.Start.Byte < at || e.Range.End.Byte > len(source) {
				continue
			}
			text = append(append(text, source[at:e.Range.Start.Byte]...), e.Text...)
			at = e.Range.End.Byte
		}
		fixed[name] = append(text, source[at:]...)
	}
	return fixed
}
