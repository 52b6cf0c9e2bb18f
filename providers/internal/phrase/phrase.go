// Package phrase writes numbers, lengths of time and sizes the way people read
// them in the summaries and messages of the bundled providers. Nothing parses
// them again.
package phrase

import (
	"fmt"
	"time"
)

// Count is a number with its unit in the singular or plural.
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Round keeps a measured duration readable: about three digits.
func Round(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < time.Minute:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// Span is a length of time in seconds: 850ms, 12.3s, 25h3m0s, 412d.
func Span(seconds float64) string {
	if days := seconds / (24 * 60 * 60); days >= 4 {
		return fmt.Sprintf("%.0fd", days)
	}
	return Round(time.Duration(seconds * float64(time.Second))).String()
}

// Size is a number of bytes: 512 B, 1.5 KiB, 3.0 TiB.
func Size(bytes int64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= 1024; value < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
