package exchange

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		" 7 ":                           7 * time.Second,
		"-1":                            0,
		"1e9":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"Sat, 17 Jan 2026 03:01:30 GMT": 90 * time.Second,
		"Sat, 17 Jan 2026 02:59:00 GMT": 0,
	} {
		if got := RetryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
