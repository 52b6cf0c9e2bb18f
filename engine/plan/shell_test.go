package plan_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/plan"
)

// What is shown is what bash reads back, on one line, with the placeholders of
// secrets filled in from its environment.
func TestShell(t *testing.T) {
	for _, test := range []struct {
		argv  []string
		shown string
		reads []string // argv where nil
	}{
		{argv: []string{"plain-1.2/x", "it's $1", ""}, shown: `plain-1.2/x 'it'\''s $1' ''`},
		{argv: []string{"-c", "SELECT 1 -- all\nFROM it's\\\tx"}, shown: `-c $'SELECT 1 -- all\nFROM it\'s\\\tx'`},
		{argv: []string{"a\x1b[31m\rb\x00c"}, shown: `$'a\x1b[31m\rb\x00c'`, reads: []string{"a\x1b[31m\rb"}},
		{argv: []string{"$SECRET"}, shown: `"$SECRET"`, reads: []string{"hunter 2"}},
		{argv: []string{"env", "SECRET=$SECRET"}, shown: `env "SECRET=$SECRET"`, reads: []string{"env", "SECRET=hunter 2"}},
		{argv: []string{"-u", "a\"nn`:$SECRET"}, shown: "-u \"a\\\"nn\\`:$SECRET\"", reads: []string{"-u", "a\"nn`:hunter 2"}},
		{argv: []string{"X-Key: $SECRET"}, shown: `"X-Key: $SECRET"`, reads: []string{"X-Key: hunter 2"}},
		{argv: []string{"echo $SECRET", "$1", "a=$b=$c"}, shown: `'echo $SECRET' '$1' 'a=$b=$c'`},
	} {
		shown := plan.Shell(test.argv)
		if diff := cmp.Diff(test.shown, shown); diff != "" {
			t.Error(diff)
		}
		cmd := exec.Command("bash", "-c", `printf '%s\0' `+shown)
		cmd.Env = []string{"SECRET=hunter 2", "PATH=/usr/bin:/bin"}
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", shown, err)
			continue
		}
		want := test.reads
		if want == nil {
			want = test.argv
		}
		if diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
			t.Errorf("%s reads back as\n%s", shown, diff)
		}
	}
}
