package engine

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/bundled"
)

const secretive = `runbook "left" {}
# token-token is what the environment gave
variable "token" {
  type      = string
  sensitive = true
  env       = "TOKEN"
}

variable "pin" {
  sensitive = true
  default   = "hunter1"
}

locals {
  password = "hunter3"
}

provider "postgres" {
  host     = "localhost"
  database = "d"
  user     = "u"
  password = "hunter2"
}

provider "redis" {
  host     = "localhost"
  password = local.password
}

step "a" {
  precondition "ready" {
    probe "postgres.ready" {}
  }
  goal "ready" {
    probe "redis.ping" {}
  }
  action "core.log" {
    message = "not hunter2, ${sensitive("hunter4")}, ${var.pin} ${var.token}"
  }
}
`

// begun is how a run of secretive is put on record where the token is this.
func begun(t *testing.T, file, token string) (event.Start, map[string]source) {
	t.Helper()
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	eng := New(Options{Catalog: bundled.NewCatalog(bundled.Providers(), "core")})
	s, diags := eng.open(t.Context(), rb, Inputs{Environ: func(name string) (string, bool) { return token, name == "TOKEN" }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defer s.Close()
	start, err := eng.start(t.Context(), s, nil)
	must(t, err)
	return start, s.sources(t.Context())
}

// What goes on record of a runbook's files holds no secret, wherever it is
// written.
func TestSourcesOnRecordHoldNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "left.hcl")
	must(t, os.WriteFile(file, []byte(secretive), 0o600))
	start, _ := begun(t, file, "token-token")
	text, err := json.Marshal(start)
	must(t, err)
	for _, secret := range []string{"hunter", "token-token"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is on record:\n%s", secret, start.Sources[filepath.ToSlash(file)])
		}
	}
	if !strings.Contains(string(text), `variable \"token\"`) {
		t.Errorf("on record is %s", text)
	}
}

// A file is compared without its secrets: another value of one is no edit, and
// what is shown of an edit holds none.
func TestChangesAreComparedAndShownWithoutSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "left.hcl")
	must(t, os.WriteFile(file, []byte(secretive), 0o600))
	start, _ := begun(t, file, "token-token")

	must(t, os.WriteFile(file, []byte(strings.ReplaceAll(secretive, "hunter1", "hunter9")), 0o600))
	_, now := begun(t, file, "other-token")
	if diff := cmp.Diff([]Change(nil), changes(file, now, &start)); diff != "" {
		t.Errorf("nothing was edited: %s", diff)
	}

	must(t, os.WriteFile(file, []byte(secretive+"\n# edited\n"), 0o600))
	_, now = begun(t, file, "token-token")
	before := start.Sources[filepath.ToSlash(file)]
	want := []Change{{File: "left.hcl", Before: before, After: before + "\n# edited\n"}}
	if diff := cmp.Diff(want, changes(file, now, &start)); diff != "" {
		t.Error(diff)
	}
}

// A resume tells of an edit before it refuses it.
func TestResumeTellsOfAnEditAndRefusesIt(t *testing.T) {
	l := leave(t, "runbook \"left\" {}\nstep \"a\" {}\n", nil)
	must(t, os.WriteFile(l.file, []byte("runbook \"left\" {}\nstep \"b\" {}\n"), 0o600))
	var told []Change
	_, err := l.resume(t.Context(), func(o *ResumeOptions) { o.Changed = func(c []Change) { told = c } })
	var changed *ChangedError
	if !errors.As(err, &changed) {
		t.Fatalf("got %v", err)
	}
	want := []Change{{File: "left.hcl", Before: "runbook \"left\" {}\nstep \"a\" {}\n", After: "runbook \"left\" {}\nstep \"b\" {}\n"}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, changed.Changes); diff != "" {
		t.Error(diff)
	}
}
