package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// learn makes known what a frame writes out where a secret belongs, before
// anything of it is shown or recorded. What only the run will tell becomes known
// when it reaches a provider.
func (s *session) learn(ctx context.Context, f *eval.Frame) {
	scope := eval.New(f.Runbook, f.Variables, s.run, nil)
	for _, expr := range runbook.Secrets(f.Runbook, schemas{ctx, s.host}) {
		v, diags := scope.Value(ctx, expr, cty.DynamicPseudoType, eval.Extra{})
		if !diags.HasErrors() { // else it is said where it is used
			s.redactor.AddSensitive(redact.Mark(v))
		}
	}
}

// source is a file of a runbook as it may be shown and recorded.
type source struct {
	text   string // without secrets
	digest string // the same for the same file, whatever the secrets of a run are
}

// sources are the files of the runbook and of what it calls, by their names.
func (s *session) sources(ctx context.Context) map[string]source {
	return sources(s.frame.Runbook, schemas{ctx, s.host}, s.redactor)
}

func sources(rb *runbook.Runbook, schemas runbook.SchemaSource, redactor *redact.Redactor) map[string]source {
	files := make(map[string]source)
	for name, text := range runbook.Public(rb, schemas) {
		sum := sha256.Sum256([]byte(text))
		files[filepath.ToSlash(name)] = source{text: redactor.Text(text), digest: "sha256:" + hex.EncodeToString(sum[:])}
	}
	return files
}

// keep puts sources on record.
func keep(start *event.Start, files map[string]source) {
	start.Sources, start.Digests = make(map[string]string, len(files)), make(map[string]string, len(files))
	for name, file := range files {
		start.Sources[name], start.Digests[name] = file.text, file.digest
	}
}
