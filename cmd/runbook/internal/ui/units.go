package ui

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// count writes a whole number in groups of three: 12,345.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// impactText lists a counted impact by unit: "1,200 rows, 3 keys".
func impactText(impact schema.Impact) string {
	var parts []string
	for _, unit := range slices.Sorted(maps.Keys(impact)) {
		if unit == "bytes" {
			parts = append(parts, bytesText(impact[unit]))
			continue
		}
		parts = append(parts, count(impact[unit])+" "+unit)
	}
	return strings.Join(parts, ", ")
}

func bytesText(n int64) string {
	if n < 1024 {
		return count(n) + " bytes"
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= 1024; value < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s (%s bytes)", value, unit, count(n))
}

// duration writes seconds as people say them: 40ms, 1.4s, 12s, 4m05s, 1h02m.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond)/time.Millisecond)
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + "s"
	case d < time.Minute:
		return strconv.FormatFloat(d.Round(time.Second).Seconds(), 'f', -1, 64) + "s"
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// Plural is "1 step" or "3 steps".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(int64(n)) + " " + noun + "s"
}
