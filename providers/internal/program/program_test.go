package program

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCleanTakesCredentialsOut(t *testing.T) {
	for text, want := range map[string]string{
		"fatal: unable to access 'https://me:hunter2@git.example/x.git/': no": "fatal: unable to access 'https://git.example/x.git/': no",
		"to ssh://git@host:22/x and https://tok@other/y@z":                    "to ssh://host:22/x and https://other/y@z",
		"git@host:x.git, mail ana@example.com":                                "git@host:x.git, mail ana@example.com",
	} {
		if got := Clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestLinesKeepTheEnd(t *testing.T) {
	var logged []string
	l := &lines{log: func(line string) { logged = append(logged, line) }}
	for _, part := range []string{"one\nt", "wo\r", "\n https://a:b@c\nrest"} {
		if _, err := l.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("one\ntwo\r\n https://c\nrest", l.end()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"one", "two", "https://c", "rest"}, logged); diff != "" {
		t.Error(diff)
	}
}

// A line that never ends takes no more room than all that is kept.
func TestLineWithoutAnEnd(t *testing.T) {
	var logged []int
	l := &lines{log: func(line string) { logged = append(logged, len(line)) }}
	part := []byte(strings.Repeat("x", 1000))
	for range 1000 {
		if _, err := l.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if cap(l.line) > 4*keptErrors {
		t.Errorf("%d bytes are held", cap(l.line))
	}
	if _, err := l.Write([]byte("end\nnext\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{keptErrors, len("next")}, logged); diff != "" {
		t.Error(diff)
	}
}
