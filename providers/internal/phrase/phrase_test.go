package phrase

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPhrases(t *testing.T) {
	got := []string{
		Count(0, "row", "rows"), Count(1, "row", "rows"), Count(1200, "row", "rows"),
		Round(123456 * time.Nanosecond).String(), Round(45678 * time.Microsecond).String(), Round(12345 * time.Millisecond).String(), Round(61500 * time.Millisecond).String(),
		Span(0), Span(-0.85), Span(12.34), Span(90180), Span(412 * 24 * 60 * 60),
		Size(0), Size(1023), Size(1536), Size(3 << 40), Size(5000 << 40),
	}
	want := []string{
		"0 rows", "1 row", "1200 rows",
		"100µs", "46ms", "12.3s", "1m2s",
		"0s", "-850ms", "12.3s", "25h3m0s", "412d",
		"0 B", "1023 B", "1.5 KiB", "3.0 TiB", "5000.0 TiB",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
