package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
)

func TestSecretNeverShows(t *testing.T) {
	s := NewSecret("hunter2!")
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "secret", s, "in", struct{ S Secret }{s})
	encoded, err := json.Marshal(map[string]any{"a": s, "b": []Secret{s}, "c": map[Secret]int{s: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%#v %+v", struct{ S Secret }{s}, &s), fmt.Errorf("x %w %v", fmt.Errorf("%v", s), s).Error(),
		string(encoded), logged.String(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, Text) {
			t.Errorf("shows: %s", text)
		}
	}
	if s.Reveal() != "hunter2!" {
		t.Error("cannot be revealed")
	}
}

func TestText(t *testing.T) {
	const secret = `p"a/s$s w'ö\rd&`
	r := New()
	r.Add(secret)
	r.Add("abc") // too short to count
	quoted, _ := json.Marshal(secret)
	for name, text := range map[string]string{
		"raw":         secret,
		"hex":         hex.EncodeToString([]byte(secret)),
		"HEX":         strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query":       url.QueryEscape(secret),
		"path":        url.PathEscape(secret),
		"json":        strings.Trim(string(quoted), `"`),
		"go":          inner(strconv.Quote(secret)),
		"json ascii":  `p\"a/s$s w'\u00f6\\rd&`,
		"shell":       `p"a/s$s w'\''ö\rd&`,
		"shell twice": `p\"a/s\$s w'ö\\rd&`,
		"printf %q":   `p\"a/s\$s\ w\'\ö\\rd\&`,
		"sql":         `p"a/s$s w''ö\rd&`,
		"in colour":   "p\"a/s$s \x1b[31mw'\x1b[0mö\\rd&",
	} {
		if got := r.Text("abc <" + text + "> end"); got != "abc <"+Text+"> end" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestBase64(t *testing.T) {
	r := New()
	r.Add("correct horse")
	for _, before := range []string{"", "a", "ab", "abc", "user:", "a longer one:"} {
		for _, after := range []string{"", "z", "zy", "zyx"} {
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				text := encoding.EncodeToString([]byte(before + "correct horse" + after))
				if got := r.Text(text); !strings.Contains(got, Text) || strings.Contains(got, "cnJlY3Q") {
					t.Errorf("%q %q: %s", before, after, got)
				}
			}
		}
	}
}

func TestOverlapsAndLines(t *testing.T) {
	r := New()
	for _, secret := range []string{"abcdef", "defghi", "bcde", "-----BEGIN\n first line\nsecond line\n"} {
		r.Add(secret)
	}
	for text, want := range map[string]string{
		"xabcdefghiy":                             "x(sensitive)y",
		"xabcdeyabcdefabcdef":                     "xa(sensitive)y(sensitive)(sensitive)",
		"log: first line":                         "log: (sensitive)",
		"-----BEGIN\n first line\nse":             "(sensitive)\n (sensitive)\nse",
		"-----BEGIN\n first line\nsecond line\n.": "(sensitive).",
	} {
		if diff := cmp.Diff(want, r.Text(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestControlSequences(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[1;31mb\x1b[0mc":               "abc",
		"a\x1b]0;title\x07b\x1b]8;;u\x1b\\c": "abc",
		"a\x1b(Bb\x1bMc\x9b31md":             "abc\ufffd31md",
		"50%\r100%\n\tdone\x00\x7f\u0085":    "50%100%\n\tdone",
		"a\u202eb\u200bc\ufeffd\U000e0041":   "abcd",
		"never \x1b]ended\nnext":             "never \nnext",
		"\xff\xfeö":                          "\ufffd\ufffdö",
	} {
		if diff := cmp.Diff(want, New().Text(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestContains(t *testing.T) {
	r := New()
	r.Add("hunter22")
	for text, want := range map[string]bool{"hunter22": true, "a hunter22 b": true, "68756e7465723232": true, "hunter2": false, "": false} {
		if got := r.Contains(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestDisplay(t *testing.T) {
	v := cty.ObjectVal(map[string]cty.Value{
		"a b": Mark(cty.StringVal("secret")),
		"b":   cty.TupleVal([]cty.Value{cty.NumberFloatVal(1.5), cty.NullVal(cty.String), cty.UnknownVal(cty.Bool), cty.True}),
		"c":   cty.ListVal([]cty.Value{cty.StringVal("x\n"), Mark(cty.StringVal("y"))}),
		"d":   cty.EmptyObjectVal,
	})
	want := `{ "a b" = (sensitive), b = [1.5, null, (not known yet), true], c = ["x\n", (sensitive)], d = {} }`
	if diff := cmp.Diff(want, Display(v)); diff != "" {
		t.Error(diff)
	}
	if !IsSensitive(v) || IsSensitive(cty.True) {
		t.Error("marks")
	}
}

func TestAddWhileWriting(t *testing.T) {
	r := New()
	var out strings.Builder
	w := r.Writer(&out)
	for _, part := range []string{"one hun", "ter22 two "} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		r.Add("ter22 t")
		r.Add("three")
	}
	_, _ = w.Write([]byte("thr"))
	if diff := cmp.Diff("one hun(sensitive)wo ", out.String()); diff != "" {
		t.Fatal(diff)
	}
	_, _ = w.Write([]byte("ee four"))
	_ = w.Close()
	if diff := cmp.Diff("one hun(sensitive)wo (sensitive) four", out.String()); diff != "" {
		t.Fatal(diff)
	}
}

// FuzzChunks: however text is cut, the same comes out, and never a secret.
func FuzzChunks(f *testing.F) {
	f.Add("abcabcabdxyz", "abcabd", "bdxy", uint8(3))
	f.Add("\x1b[31mse\x1b[0mcret öö", "secret", "ö", uint8(1))
	f.Add("aaaaaaaa", "aaaa", "aaaaa", uint8(2))
	f.Fuzz(func(t *testing.T, text, first, second string, size uint8) {
		if size == 0 || len(text) > 1<<12 || len(first)+len(second) > 1<<10 {
			return
		}
		r := New()
		r.Add(first)
		r.Add(second)
		want := r.Text(text)
		var out strings.Builder
		w := r.Writer(&out)
		for rest := text; rest != ""; {
			n := min(int(size), len(rest))
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Fatalf("in chunks of %d: %q, at once: %q", size, out.String(), want)
		}
		for part := range strings.SplitSeq(want, Text) {
			if r.Contains(part) {
				t.Fatalf("shows a secret: %q", part)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	r := New()
	for i := range 20 {
		r.Add(fmt.Sprintf("secret-number-%d-of-twenty", i))
	}
	line := strings.Repeat("an ordinary line of log that holds nothing secret ", 20)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.Text(line)
	}
}
