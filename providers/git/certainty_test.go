package git_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// A cancel that comes when git has done its work already does not undo it.
func TestAddThatIsCancelledTooLate(t *testing.T) {
	r := newRoom(t)
	r.write(r.here, "dvc.lock", "changed\n")
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	slow := filepath.Join(dir, "git") // the real one, which is slow to end
	script := "#!/bin/sh\n'" + real + "' \"$@\" || exit\ncase \" $* \" in *' add --all '*) echo > '" + dir + "/added'; exec sleep 600;; esac\n"
	if err := os.WriteFile(slow, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfifo", filepath.Join(dir, "added")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(filepath.Join(dir, "added")) // returns once it has added
		cancel()
	}()
	o := r.harness(map[string]any{"git": slow}).Act("add", map[string]any{"paths": []string{"dvc.lock"}}, sdktest.Context(ctx))
	if o.State != schema.FailedPartial || o.Failure.Code != "cancelled" {
		t.Errorf("%s: %v", o.State, o.Failure)
	}
	if staged := r.git(r.here, "diff", "--cached", "--name-only"); staged != "dvc.lock" {
		t.Errorf("%q is staged: nothing is proved", staged)
	}
}

// A look starts no hook, whatever hooks says: they may do anything.
func TestPreviewStartsNoHook(t *testing.T) {
	r := newRoom(t)
	ran := filepath.Join(t.TempDir(), "ran")
	for _, hook := range []string{"pre-push", "pre-commit", "post-checkout", "post-index-change", "reference-transaction"} {
		r.write(r.here, ".git/hooks/"+hook, "#!/bin/sh\necho "+hook+" >> '"+ran+"'\n")
		if err := os.Chmod(filepath.Join(r.here, ".git/hooks", hook), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write(r.here, "dvc.lock", "changed\n")
	r.git(r.here, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--no-verify", "-am", "changed")
	h := r.harness(map[string]any{"hooks": true})
	for name, args := range map[string]map[string]any{
		"push": nil, "fetch": nil, "pull": nil, "checkout": {"ref": "main~1"}, "checkout_paths": {"ref": "main~1", "paths": []string{"dvc.lock"}},
	} {
		if d := h.Preview(name, args); d.Failure != nil {
			t.Errorf("%s: %v", name, d.Failure)
		}
	}
	done(t, h.Probe("status", nil))
	done(t, h.Probe("in_sync", nil))
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("a look started hooks: %s", text)
	}
	done(t, h.Act("push", nil))
	if _, err := os.ReadFile(ran); err != nil {
		t.Error("the push starts none either: nothing is proved")
	}
}
