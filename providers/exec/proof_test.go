package exec_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(exec.Provider)
	backendtest.Main(m, backendtest.WithSSH(&there))
}

// The backend of exec is this machine: a folder of it.
func TestProof(t *testing.T) {
	dir := t.TempDir()
	notes, pid := filepath.Join(dir, "notes"), filepath.Join(t.TempDir(), "pid")
	empty := func(t testing.TB) {
		if err := os.WriteFile(notes, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written := []any{map[string]any{"resource": "file://" + notes}}
	script := func(text string, more map[string]any) map[string]any {
		args := map[string]any{"script": text, "dir": dir, "effects": written}
		for name, value := range more {
			args[name] = value
		}
		return args
	}
	sdktest.Prove(t, sdktest.Proof{
		Provider: exec.Provider,
		World: func(t testing.TB) any {
			text, err := os.ReadFile(notes)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			return string(text)
		},
		Probes: []sdktest.ProbeProof{{Name: "run", Args: map[string]any{"argv": []string{"cat", "/dev/null"}}, Refused: []sdktest.Refused{
			{Args: map[string]any{"argv": []string{"no-such-program"}}, Code: "cannot_start"},
			{Args: map[string]any{}, Code: "invalid_argument"},
			{Args: map[string]any{"argv": []string{"true"}, "dir": filepath.Join(dir, "none")}, Code: "invalid_argument"},
		}}},
		Actions: []sdktest.ActionProof{
			{
				Name: "run", Setup: empty, Args: script("echo more >> notes", map[string]any{"dry_run": []string{"echo", "would write"}}), Class: schema.Manual,
				Slow: &sdktest.Slow{
					Setup: func(t testing.TB) { empty(t); _ = os.Remove(pid) },
					Args:  script("echo more >> notes; sleep 600 & echo $! > "+pid+"; wait", nil),
					Working: func(testing.TB) bool {
						text, _ := os.ReadFile(pid)
						n, err := strconv.Atoi(strings.TrimSpace(string(text)))
						return err == nil && alive(n)
					},
				},
				Refused: []sdktest.Refused{{Args: map[string]any{"argv": []string{"no-such-program"}}, Code: "cannot_start"}},
			},
			{Name: "run", Setup: empty, Args: script("echo once > notes", map[string]any{"idempotent": true}), Class: schema.Idempotent},
			{Name: "run", Setup: empty, Args: map[string]any{"argv": []string{"tee", notes}, "stdin": "whatever"}, Class: schema.Manual, Destroys: true},
		},
	})
}
