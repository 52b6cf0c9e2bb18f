package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const told = `runbook "told" {
  title = "It fails"
}

variable "hook" {
  sensitive = true
}

provider "webhook" {
  url = var.hook
}

notify "channel" {
  on = ["failed"]
  action "webhook.post" {
    text = run.summary
  }
}

step "fails" {
  action "core.fail" {
    message = "on purpose"
  }
}
`

// From the runbook to a receiver over real processes: a receiver that wants to be
// left alone for a second is, it gets the same message under the same key, and its
// address, which is a secret, is on no record.
func TestPeopleAreTold(t *testing.T) {
	type arrival struct {
		at        time.Time
		key, body string
	}
	var mu sync.Mutex
	var arrived []arrival
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		arrived = append(arrived, arrival{time.Now(), r.Header.Get("Idempotency-Key"), string(body)})
		if len(arrived) == 1 {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(sink.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "told.hcl"), []byte(told), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("runbook", "apply", "--auto-approve", "--json")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RUNBOOK_VAR_hook="+sink.URL+"/services/hook-secret", "RUNBOOK_STORE="+filepath.Join(dir, ".runbook"))
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, said)
	}
	if len(arrived) != 2 || arrived[0].key == "" || arrived[0].key != arrived[1].key || arrived[0].body != arrived[1].body {
		t.Fatalf("arrived: %+v\n%s", arrived, said)
	}
	if pause := arrived[1].at.Sub(arrived[0].at); pause < 3*time.Second {
		t.Errorf("it was left alone for %s only", pause)
	}
	if !strings.HasPrefix(arrived[0].body, `{"text":"It fails: failed; step.fails failed: on purpose`) {
		t.Error(arrived[0].body)
	}
	journals, err := filepath.Glob(filepath.Join(dir, ".runbook", "runs", "*", "journal.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatal(journals, err)
	}
	record, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"record": string(record), "screen": string(said)} {
		if strings.Contains(text, "hook-secret") {
			t.Errorf("the %s tells the address", what)
		}
		for _, fact := range []string{`"type":"notice_started"`, `"retry_after_seconds":3`, `"state":"failed_clean"`, `"state":"done"`} {
			if !strings.Contains(text, fact) {
				t.Errorf("the %s does not tell %s", what, fact)
			}
		}
	}
}
