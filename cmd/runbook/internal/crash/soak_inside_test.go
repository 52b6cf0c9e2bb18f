package crash

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/bundled"
)

// within is what one process does again and again.
const within = `
runbook "within" {}
step "one" {
  action "exec.run" {
    argv    = ["true"]
    effects = []
  }
}
step "two" {
  action "core.wait" {
    duration = "20ms"
  }
}
step "three" {
  action "exec.run" {
    argv    = ["true"]
    effects = []
  }
}
`

// inside is an engine in this process.
type inside struct {
	*testing.T
	engine            *engine.Engine
	file              string
	runs, interrupted int
}

func newInside(t *testing.T, program string) *inside {
	dir := t.TempDir()
	in := &inside{T: t, file: filepath.Join(dir, "within.hcl")}
	if err := os.WriteFile(in.file, []byte(within), 0o600); err != nil {
		t.Fatal(err)
	}
	in.engine = engine.New(engine.Options{
		Catalog: bundled.NewCatalog(bundled.Providers(), "core"), Executable: program, StoreDir: filepath.Join(dir, store.Folder),
	})
	return in
}

// life applies, every other time interrupted at some instant, and goes on until
// the run has succeeded.
func (in *inside) life(random *rand.Rand) {
	ctx := context.Background()
	rb, diags := in.engine.Validate(ctx, in.file)
	if diags.HasErrors() {
		in.Fatal(diags)
	}
	in.runs++
	interrupt := make(chan struct{})
	if random.IntN(2) == 0 {
		timer := time.AfterFunc(time.Duration(random.IntN(100))*time.Millisecond, func() { close(interrupt) })
		defer timer.Stop()
	}
	opts := engine.ApplyOptions{AutoApprove: true, Screen: nowhere{}, Interrupt: interrupt}
	result, diags, err := in.engine.Apply(ctx, rb, opts)
	for try := 0; err == nil && !diags.HasErrors() && result.Outcome != "succeeded" && try < 3; try++ {
		in.interrupted++
		opts.Interrupt = make(chan struct{})
		result, diags, err = in.engine.Resume(ctx, store.Last, engine.ResumeOptions{ApplyOptions: opts})
	}
	if errors.Is(err, engine.ErrInterrupted) {
		in.interrupted++
		return
	}
	if err != nil || diags.HasErrors() || result.Outcome != "succeeded" {
		in.Fatalf("outcome %q, %v, %v", result.Outcome, err, diags)
	}
}

// nowhere is a screen that nobody looks at.
type nowhere struct{}

// Emit implements event.Sink.
func (nowhere) Emit(event.Event) error { return nil }
