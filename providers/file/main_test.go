package file_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/file"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(file.Provider)
	os.Exit(m.Run())
}

const day = 24 * time.Hour

func harness(t *testing.T) *sdktest.Harness {
	t.Helper()
	return sdktest.New(t, file.Provider(), nil)
}

// put writes a file of a certain age.
func put(t testing.TB, path, text string, age time.Duration) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// held is what a folder holds: contents by path, and where links lead.
func held(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			found[name] = "-> " + to
			return err
		case info.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// shell runs a shown command as a person would.
func shell(t *testing.T, command []string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", command, err, out)
	}
}

// done is the result of an outcome that must be done.
func done(t *testing.T, outcome schema.Outcome, without ...string) map[string]any {
	t.Helper()
	if outcome.State != schema.Done {
		t.Fatalf("state %s: %v", outcome.State, outcome.Failure)
	}
	result := sdktest.Go(t, outcome.Result).(map[string]any)
	for _, name := range without {
		delete(result, name)
	}
	return result
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// fails checks state and code, and that the message holds every part.
func fails(t *testing.T, want string, outcome schema.Outcome, parts ...string) {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	if got := fmt.Sprintf("%s %s", outcome.State, outcome.Failure.Code); got != want {
		t.Errorf("want %s, got %s: %v", want, got, outcome.Failure)
	}
	for _, part := range parts {
		if !strings.Contains(outcome.Failure.Message, part) {
			t.Errorf("the message %q lacks %q", outcome.Failure.Message, part)
		}
	}
}
