package review

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
)

// What stands in for a program is there: a probe, or an action.
func TestTypedOperationsExist(t *testing.T) {
	catalog := bundled.New()
	seen := 0
	for program, commands := range typedPrograms() {
		for command, pair := range commands {
			for i, kind := range []schema.Kind{schema.Probe, schema.Action} {
				provider, name, _ := strings.Cut(pair[i], ".")
				if pair[i] == "" {
					continue
				}
				seen++
				if s, ok := catalog.Schema(provider); !ok || s.Operation(kind, name) == nil {
					t.Errorf("%s %s: there is no %s %s", program, command, kind, pair[i])
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d were looked up", seen)
	}
}

// What says a value is an argument that there is.
func TestValueArgumentsExist(t *testing.T) {
	catalog := bundled.New()
	for kind, names := range valueArguments() {
		provider, operation, _ := strings.Cut(kind, ".")
		s, ok := catalog.Schema(provider)
		if !ok || s.Operation(schema.Action, operation) == nil {
			t.Errorf("there is no action %s", kind)
			continue
		}
		for _, name := range names {
			if s.Operation(schema.Action, operation).Arguments.Attribute(name) == nil {
				t.Errorf("%s has no argument %s", kind, name)
			}
		}
	}
}

func TestSchedulesThatCollide(t *testing.T) {
	for _, c := range []struct{ a, b, at string }{
		{"0 3 * * *", "0 3 * * *", "at 03:00"},
		{"0 3 * * *", "*/15 * * * *", "at 03:00"},
		{"5 3 * * *", "*/15 * * * *", ""},
		{"0 3 * * 1", "0 3 * * 2", ""},
		{"0 3 1 * *", "0 3 * * 2", "at 03:00"}, // the first of a month falls on a Tuesday
		{"0 3 1 1 *", "0 3 * 2 *", ""},
		{"0 3 30 2 *", "0 3 * * *", ""},         // never
		{"0 3 30 2 1", "0 3 * 2 1", "at 03:00"}, // or on a Monday
		{"@daily", "0 0 * * 0", "at 00:00"},
		{"Mon 03:00", "Mon 03:00", "at Mon 03:00"},
		{"Mon 03:00", "0 3 * * 1", ""},
		{"", "0 3 * * *", ""},
	} {
		for _, got := range []string{collide(c.a, c.b), collide(c.b, c.a)} {
			if got != c.at {
				t.Errorf("%q and %q: %q, want %q", c.a, c.b, got, c.at)
			}
		}
	}
}

func TestShellCommands(t *testing.T) {
	script := `#!/bin/sh
# psql is not started here
set -eu
PGHOST=db psql -c "SELECT 1" | grep -q 1 && docker exec -it redis redis-cli PING
if ! sudo -n test -e /srv/x; then
  sleep 5 & wait
fi
x=$(timeout 5s curl -sf http://localhost/)
`
	got := shellCommands(script)
	var programs []string
	for _, command := range got {
		programs = append(programs, command[0])
	}
	want := []string{"set", "psql", "grep", "redis-cli", "test", "sleep", "wait", "curl"}
	if diff := cmp.Diff(want, programs); diff != "" {
		t.Errorf("(-want +got):\n%s\n%q", diff, got)
	}
}
