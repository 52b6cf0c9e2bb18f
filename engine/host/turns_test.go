package host

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Looks queue for the eight calls that a provider takes at once. Their time
// begins when it is their turn: 17 looks of 6 s take 18 s, and none of them more
// than the 10 s that it has.
func TestTimeInTheQueueIsNotTheLooks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "looks.hcl")
	if err := os.WriteFile(file, []byte(`
runbook "looks" {
}
check "slow" {
  for_each = [for n in range(17) : tostring(n)]
  probe "inner.look" {
    how  = "6s"
    text = each.key
  }
}
check "never" {
  probe "inner.look" {
    how = "wait"
  }
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	f, diags := eval.Link(t.Context(), rb, eval.Sources{}, eval.Run{ID: "r"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		look := func(names ...string) ([]plan.Check, time.Duration) {
			t.Helper()
			began := time.Now()
			checks, err := plan.LookAt(t.Context(), f, names, plan.Options{Schemas: h, Backend: h}, clock.Real{})
			if err != nil {
				t.Fatal(err)
			}
			return checks, time.Since(began)
		}
		checks, took := look("slow")
		for _, c := range checks {
			if c.Status != "holds" {
				t.Errorf("%s %s: %s", c.Name, c.Status, c.Message)
			}
		}
		if len(checks) != 17 || took != 18*time.Second {
			t.Errorf("%d looks took %v", len(checks), took)
		}
		checks, took = look("never")
		if c := checks[0]; c.Status != "errors" || took != 10*time.Second || !strings.Contains(c.Message, "no answer within 10s") {
			t.Errorf("after %v %s: %s", took, c.Status, c.Message)
		}
	})
}

// What ends the wait for a turn is the caller's context.
func TestWaitForATurnIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		busy, free := context.WithCancel(t.Context())
		for range maxConcurrent {
			go h.Observe(busy, "inner", look(map[string]string{"how": "wait"}))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		op := look(nil)
		op.Timeout = time.Second
		began := time.Now()
		_, err := h.Observe(ctx, "inner", op)
		if took := time.Since(began); took != time.Hour || failureOf(err).Code != "not_begun" {
			t.Errorf("after %v: %v", took, err)
		}
		free()
		synctest.Wait()
	})
}
