package engine

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/review"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Read is what came of reading several runbooks side by side.
type Read struct {
	Runbooks    []*runbook.Runbook // those without errors, in the order asked for
	Files       []string           // every file that was read, each once: a runbook, then what it includes and calls
	Sources     map[string][]byte  // the text of each
	Diagnostics hcl.Diagnostics    // as Validate says them, what concerns a shared file once
}

// ValidateAll is Validate for several files, side by side; and it evaluates what
// can be, while no variable has a value yet.
func (e *Engine) ValidateAll(ctx context.Context, files []string) *Read {
	runbooks := make([]*runbook.Runbook, len(files))
	found := make([]hcl.Diagnostics, len(files))
	clock.Together(e.clock, len(files), func(i int) {
		runbooks[i], found[i] = e.Validate(ctx, files[i])
		if runbooks[i] != nil && !found[i].HasErrors() {
			found[i] = append(found[i], e.static(ctx, runbooks[i])...)
		}
	})
	read := &Read{Sources: map[string][]byte{}}
	said := map[string]bool{}
	for i, rb := range runbooks {
		of := []string{files[i]}
		if rb != nil {
			of = rb.Files
		}
		if !found[i].HasErrors() {
			read.Runbooks = append(read.Runbooks, rb)
		}
		for _, file := range of {
			if _, known := read.Sources[file]; known {
				continue
			}
			read.Files = append(read.Files, file)
			read.Sources[file] = nil
			if rb != nil {
				read.Sources[file] = rb.Sources[file]
			}
		}
		for _, d := range found[i] {
			if text := d.Error(); !said[text] {
				said[text] = true
				read.Diagnostics = append(read.Diagnostics, d)
			}
		}
	}
	return read
}

// static finds mistakes in the expressions of a runbook that no value of a variable
// mends, and no answer of a system.
func (e *Engine) static(ctx context.Context, rb *runbook.Runbook) hcl.Diagnostics {
	h := e.newHost(rb.Dir, redact.New())
	defer h.Close()
	diags := eval.Static(ctx, rb, schemas{ctx, h}, func(ctx context.Context, dir, provider string, config cty.Value, op schema.Operation) (schema.Description, bool) {
		if e.opts.Catalog == nil {
			return schema.Description{}, false
		}
		if _, bundled := e.opts.Catalog.Schema(provider); !bundled {
			return schema.Description{}, false
		}
		d, err := e.opts.Catalog.Describe(ctx, dir, provider, config, op)
		return d, err == nil
	})
	runbook.SortDiagnostics(rb, diags)
	return diags
}

// Lint validates runbooks and holds those without errors against the rules of
// package review: a rule could be wrong about what is half understood. No process is started, and no system is looked at.
func (e *Engine) Lint(ctx context.Context, files []string, settings review.Settings) (*Read, []review.Finding) {
	read := e.ValidateAll(ctx, files)
	subjects := make([]review.Subject, len(read.Runbooks))
	for i, rb := range read.Runbooks {
		h := e.newHost(rb.Dir, redact.New())
		defer h.Close()
		values := review.Supposed(rb)
		supposed := eval.New(rb, values, eval.Run{}, nil)
		for ref, op := range rb.Operations() {
			provider, err := h.Schema(ctx, op.Provider)
			if err != nil {
				continue // its actions are taken to touch anything
			}
			body := hcl.EmptyBody()
			if p := rb.Providers[ref]; p != nil {
				body = p.Body
			}
			config, diags := supposed.Body(ctx, body, provider.Config, eval.Extra{})
			if !diags.HasErrors() {
				h.Configure(ref, op.Provider, review.Settled(config))
			}
		}
		subjects[i] = review.Subject{Runbook: rb, Values: values, Schemas: h, Backend: h.Offline()}
	}
	return read, review.Lint(ctx, subjects, settings)
}
