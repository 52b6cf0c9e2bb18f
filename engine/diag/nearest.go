package diag

import (
	"strings"

	"github.com/agext/levenshtein"
)

const longestSlip = 200

// Nearest is the candidate that given was probably meant to be, or empty where
// none is near. Case does not count, and two letters that changed places are
// one slip. Of equally near ones the first wins, so a sorted list makes the
// answer stable. A very long name has none: who writes one has not slipped.
func Nearest(given string, candidates []string) string {
	if len(given) > longestSlip {
		return ""
	}
	best, bestDistance := "", len(given)/3+2
	if len(given) < 5 {
		bestDistance = 2
	}
	lower := strings.ToLower(given)
	for _, c := range candidates {
		if len(c) > 2*longestSlip {
			continue
		}
		if d := distance(lower, strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

func distance(a, b string) int {
	if len(a) == len(b) {
		for i := range len(a) - 1 {
			if a[i] != b[i] {
				if a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
					return 1
				}
				break
			}
		}
	}
	return levenshtein.Distance(a, b, nil)
}
