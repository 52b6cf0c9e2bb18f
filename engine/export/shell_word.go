package export

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/runbook-engine/runbook/engine/plan"
)

// shellWord writes a text as one word of bash: itself, but for what stands in it
// for the value of a variable.
func shellWord(text string, stands map[string]string) string {
	var b strings.Builder
	for text != "" {
		at, stand := len(text), ""
		for _, s := range longestFirst(stands) {
			if i := strings.Index(text, s); i >= 0 && i < at {
				at, stand = i, s
			}
		}
		if at > 0 {
			b.WriteString(plan.Literal(text[:at]))
		}
		if stand != "" {
			b.WriteString(`"$` + stands[stand] + `"`)
		}
		text = text[at+len(stand):]
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

func longestFirst(stands map[string]string) []string {
	return slices.SortedFunc(maps.Keys(stands), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// multiline is a text as one word of bash, its lines left as they are.
func multiline(text string) string {
	if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), unicode.IsControl) {
		return plan.Literal(text)
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
