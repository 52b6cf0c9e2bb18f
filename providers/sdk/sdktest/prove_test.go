package sdktest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(notesProvider)
	os.Exit(m.Run())
}

// lie is what the provider lies about in a process that a test has started to
// see it caught.
const lie = "SDKTEST_LIE"

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	filled := func(t testing.TB) {
		held, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range held {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a", "b"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := map[string]any{"name": "c"}
	sdktest.Prove(t, sdktest.Proof{
		Provider: notesProvider,
		Config:   map[string]any{"dir": dir, "token": "swordfish", "lie": os.Getenv(lie)},
		World: func(t testing.TB) any {
			held, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
			if err != nil {
				t.Fatal(err)
			}
			return held
		},
		Broken: []sdktest.Broken{{Name: "gone", Config: map[string]any{"dir": filepath.Join(dir, "gone")}, Code: "folder_missing"}},
		Probes: []sdktest.ProbeProof{{Name: "count", Setup: filled}},
		Actions: []sdktest.ActionProof{
			{Name: "wipe", Setup: filled, Class: schema.Idempotent, Destroys: true},
			{Name: "add", Setup: filled, Args: add, Class: schema.Keyed},
			{Name: "create", Setup: filled, Args: add, Class: schema.Observed},
		},
	})
}

// Each promise is one that a provider can be caught breaking.
func TestLiesAreFound(t *testing.T) {
	for what, test := range map[string]struct{ where, found string }{
		"a probe writes":                {"probe count", "the probe changed something"},
		"a secret is told":              {"probe count", "a secret is in the result of count"},
		"a secret is in a command line": {"action wipe/preview", "a secret is in a command line"},
		"preview counts one too many":   {"action wipe/preview", "3 notes were foretold"},
		"harmless, it says":             {"action wipe/describe", "it deletes and is not called destructive"},
		"a limit is ignored":            {"action wipe/limit", "a limit of 1 notes changed something"},
		"clean, it says":                {"action wipe/cancel", "it says failed_clean failed"},
		"twice is not once":             {"action wipe/idempotent", "twice is not once"},
		"done twice under one key":      {"action add/keyed", "it was done twice under one key"},
		"settled as done":               {"action add/keyed", "of an attempt that is failed_clean Settle says done"},
		"settled as never done":         {"action create/observed", "of an attempt that is done Settle says failed_clean"},
		"no remedy":                     {"gone", "names neither a remedy nor the argument"},
	} {
		t.Run(what, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestNotes$/"+strings.ReplaceAll(test.where, " ", "_"))
			cmd.Env = append(os.Environ(), lie+"="+what)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.found) {
				t.Errorf("it was not found out (%v):\n%s", err, out)
			}
		})
	}
}

// A proof that leaves something out proves nothing of it.
func TestIncompleteProofs(t *testing.T) {
	if os.Getenv(lie) == "incomplete" {
		sdktest.Prove(t, sdktest.Proof{
			Provider: notesProvider, Config: map[string]any{"dir": t.TempDir()}, World: func(testing.TB) any { return nil },
			Broken: []sdktest.Broken{{Name: "one", Code: "x"}, {Name: "two", Code: "x"}},
		})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestIncompleteProofs$")
	cmd.Env = append(os.Environ(), lie+"=incomplete")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"nothing is proved of probe count", "nothing is proved of action wipe", "two and one cannot be told apart"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%q is not said (%v):\n%s", want, err, out)
		}
	}
}
