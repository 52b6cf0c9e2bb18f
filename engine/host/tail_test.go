package host

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/redact"
)

func TestTail(t *testing.T) {
	const secret = "hunter22!"
	long := strings.Repeat("x", maxTailLine-4)
	for name, c := range map[string]struct {
		writes []string
		want   string
	}{
		"lines":                         {[]string{"a\nb", "c\n\n \nd"}, "a\nbc\nd"},
		"a secret":                      {[]string{"my " + secret + "\n"}, "my (sensitive)"},
		"a secret in two writes":        {[]string{"my hunt", "er22!\nend"}, "my (sensitive)\nend"},
		"a secret where a line is cut":  {[]string{long + secret + " and more\nend\n"}, long + "(sen…\nend"},
		"half a secret at the very end": {[]string{"my hunt"}, "my "},
		"the last twenty":               {[]string{strings.Repeat("a\n", 30) + strings.Repeat("b\n", 19)}, "a\n" + strings.TrimSpace(strings.Repeat("b\n", 19))},
	} {
		t.Run(name, func(t *testing.T) {
			r := redact.New()
			r.Add(secret)
			kept := newTail(r)
			to := kept.writer()
			for _, text := range c.writes {
				if _, err := to.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, kept.text()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A process has several ways to speak; what comes through one does not part
// what comes through another.
func TestTailOfSeveral(t *testing.T) {
	r := redact.New()
	r.Add("hunter22!")
	kept := newTail(r)
	one, other := kept.writer(), kept.writer()
	for range 2 {
		_, _ = one.Write([]byte("my hunt"))
		_, _ = other.Write([]byte("besi"))
		_, _ = one.Write([]byte("er22!\n"))
		_, _ = other.Write([]byte("de\n"))
	}
	if diff := cmp.Diff("my (sensitive)\nbeside\nmy (sensitive)\nbeside", kept.text()); diff != "" {
		t.Error(diff)
	}
}

// A secret may become known only after it was said, and its line cut.
func TestTailOfASecretLearnedLater(t *testing.T) {
	r := redact.New()
	kept := newTail(r)
	_, _ = kept.writer().Write([]byte(strings.Repeat("x", maxTailLine-4) + "hunter22!\nmy hunter22!\n"))
	r.Add("hunter22!")
	if text := kept.text(); strings.Contains(text, "hunt") || !strings.HasSuffix(text, "\nmy (sensitive)") {
		t.Errorf("… %q", text[len(text)-40:])
	}
}
