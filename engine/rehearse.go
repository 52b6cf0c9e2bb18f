package engine

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/rehearse"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Rehearse runs the tests of one NAME_test.hcl whose names match only, one
// after another; each is told to done as it ends. It starts no process and
// reaches no backend. Diagnostics are mistakes in the file or its runbook, which
// is nil where it cannot be parsed.
func (e *Engine) Rehearse(ctx context.Context, path string, only *regexp.Regexp, opts rehearse.Options, done func(rehearse.Result)) (*runbook.Runbook, hcl.Diagnostics) {
	rb, diags := e.Validate(ctx, rehearse.RunbookOf(path))
	if diags.HasErrors() {
		return rb, diags
	}
	f, diags := rehearse.Load(path, rb)
	if diags.HasErrors() {
		return rb, diags
	}
	for _, t := range f.Tests {
		if only != nil && !only.MatchString(t.Name) {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		result, found := f.Run(ctx, t, e.openMocked, opts)
		diags = append(diags, found...)
		if !found.HasErrors() {
			done(result)
		}
	}
	return rb, diags
}

// openMocked configures the providers of one test.
func (e *Engine) openMocked(ctx context.Context, frame *eval.Frame, run eval.Run) (rehearse.Providers, hcl.Diagnostics) {
	s := &session{frame: frame, run: run, redactor: redact.New()}
	s.host = e.newHost(frame.Runbook.Dir, s.redactor)
	var diags hcl.Diagnostics
	for _, f := range frame.All() {
		diags = append(diags, s.configure(ctx, f)...)
	}
	return described{s, e}, diags
}

// described answers schemas and pure descriptions without starting anything.
type described struct {
	*session
	engine *Engine
}

// Schema implements plan.Schemas.
func (d described) Schema(ctx context.Context, provider string) (*schema.Provider, error) {
	return d.host.Schema(ctx, provider)
}

// Describe asks the catalog.
func (d described) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return d.host.Offline().Describe(ctx, ref, op)
}

// providerOf is the provider's name in a reference such as postgres.replica, of
// whichever frame.
func providerOf(ref string) string {
	if end := strings.IndexAny(ref, ".@"); end >= 0 {
		return ref[:end]
	}
	return ref
}

// Asks tells whether a provider is served in this process and has no backend:
// its questions can be put without starting anything.
func (d described) Asks(ref string) bool {
	if d.engine.opts.Catalog == nil {
		return false
	}
	_, here := d.engine.opts.Catalog.InProcess(d.frame.Runbook.Dir, providerOf(ref))
	return here
}

// Ask runs an action that only asks people. There is no attempt to be locked,
// and no time that passes.
func (d described) Ask(ctx context.Context, ref string, op schema.Operation) schema.Outcome {
	op.AttemptLock, op.Deadline = "", time.Time{}
	return d.host.Act(context.WithoutCancel(ctx), ref, op, nil)
}
