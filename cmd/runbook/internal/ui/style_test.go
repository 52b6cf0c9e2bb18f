package ui

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDetectAwayFromATerminal(t *testing.T) {
	for _, c := range []struct {
		environ map[string]string
		want    Style
	}{
		{nil, Style{}},
		{map[string]string{"LANG": "C", "TERM": "xterm"}, Style{}},
		{map[string]string{"LANG": "de_DE.UTF-8"}, Style{Unicode: true}},
		{map[string]string{"LANG": "de_DE.utf8", "LC_ALL": "C"}, Style{}},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"}, Style{Unicode: true}},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": ""}, Style{Unicode: true}},
	} {
		environ := func(name string) (string, bool) { value, ok := c.environ[name]; return value, ok }
		if diff := cmp.Diff(c.want, Detect(&bytes.Buffer{}, environ, false)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.environ, diff)
		}
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0ms", 0.0134: "13ms", 1.25: "1.3s", 9.96: "10s", 59.4: "59s", 60: "1m00s", 125: "2m05s", 3725: "1h02m", 90000: "25h00m",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("duration(%v) = %q, want %q", seconds, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"step.x": "step.x", "": "''", `step.x["k"]=done`: `'step.x["k"]=done'`, "it's": `'it'\''s'`, "a b": "'a b'",
	} {
		if got := Quote(word); got != want {
			t.Errorf("Quote(%q) = %s, want %s", word, got, want)
		}
	}
}

// What a terminal without UTF-8 shows is still read: a time of 700 microseconds
// is no "700?s".
func TestASCII(t *testing.T) {
	for text, want := range map[string]string{
		"Redis answers (700µs)": "Redis answers (700us)", "5μs": "5us", "✓ a → b": "+ a -> b", "“é”": `"?"`,
	} {
		if got := ascii(text); got != want {
			t.Errorf("ascii(%q) = %q, want %q", text, got, want)
		}
	}
}

// Nothing that a runbook or a backend says can move the cursor, recolour or
// reorder what stands on the screen, nor begin a line of its own.
func FuzzPageIsClean(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J", "a\r\nb", "\u202eabc", "\xff\xfe", "→ é", "\u200b", "\u2028", "\t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, style := range []Style{{}, {Unicode: true}, {Width: 40, Unicode: true}} {
			p := &page{style: style}
			p.linef("%s|", text)
			p.marked(2, "label", p.paint(red, text), text)
			var out bytes.Buffer
			if err := p.flush(&out); err != nil {
				t.Fatal(err)
			}
			if !utf8.Valid(out.Bytes()) {
				t.Errorf("not UTF-8: %q", out.String())
			}
			for _, r := range out.String() {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) || !style.Unicode && r > unicode.MaxASCII {
					t.Errorf("%q shows %U", text, r)
				}
			}
			if first, _, _ := strings.Cut(out.String(), "\n"); !strings.HasSuffix(first, "|") {
				t.Errorf("%q broke its line: %q", text, out.String())
			}
		}
	})
}
