// Package diag gives hcl's diagnostics a stable ID and, where there is one, a
// suggestion; it draws them as text and turns them into JSON. There is no
// second diagnostic type: everything here takes and returns hcl.Diagnostic, and
// what is added travels in its Extra field. The package knows nothing of
// runbooks.
package diag

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// extra is what rides in Diagnostic.Extra. It keeps what hcl had put there.
type extra struct {
	kind       Kind
	suggestion string
	withheld   bool
	inner      any
}

// UnwrapDiagnosticExtra lets hcl.DiagnosticExtra find what hcl had put there.
func (e *extra) UnwrapDiagnosticExtra() any { return e.inner }

// At makes an error of this kind about the given place. The summary is the
// kind's; the detail says what, why and how to mend it.
func (k Kind) At(at hcl.Range, format string, args ...any) *hcl.Diagnostic {
	d := k.New(format, args...)
	d.Subject = &at
	return d
}

// New makes an error of this kind that has no place in a file.
func (k Kind) New(format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  k.Summary(),
		Detail:   fmt.Sprintf(format, args...),
		Extra:    &extra{kind: k},
	}
}

// WarnAt is At for a warning.
func (k Kind) WarnAt(at hcl.Range, format string, args ...any) *hcl.Diagnostic {
	d := k.At(at, format, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// Suggest completes d with a name that was probably meant: it ends the detail
// with a question and is kept for JSON. An empty name changes nothing.
func Suggest(d *hcl.Diagnostic, name string) *hcl.Diagnostic {
	if name == "" {
		return d
	}
	d.Detail += fmt.Sprintf(" Did you mean %q?", name)
	return WithSuggestion(d, name)
}

// WithSuggestion keeps text that mends the mistake for JSON, and leaves the
// detail alone. d must not be shared.
func WithSuggestion(d *hcl.Diagnostic, text string) *hcl.Diagnostic {
	extraOf(d).suggestion = text
	return d
}

// extraOf is what rides on d, made where there is nothing yet.
func extraOf(d *hcl.Diagnostic) *extra {
	e, ok := d.Extra.(*extra)
	if !ok {
		e = &extra{kind: Syntax, inner: d.Extra}
		d.Extra = e
	}
	return e
}

// WithholdSource keeps the lines that d points at from being shown: they may
// hold secrets. d must not be shared.
func WithholdSource(d *hcl.Diagnostic) *hcl.Diagnostic {
	extraOf(d).withheld = true
	return d
}

// SourceWithheld tells whether the lines that d points at must not be shown.
func SourceWithheld(d *hcl.Diagnostic) bool {
	e, ok := d.Extra.(*extra)
	return ok && e.withheld
}

// Adopt gives an ID to diagnostics that hcl made; those that have one keep it.
// The diagnostics are changed in place.
func Adopt(kind Kind, diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if _, ok := d.Extra.(*extra); !ok {
			d.Extra = &extra{kind: kind, inner: d.Extra}
		}
	}
	return diags
}

// ID is the stable ID of d; that of Syntax where it has none, since only the
// HCL parser makes those.
func ID(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*extra); ok {
		return string(e.kind)
	}
	return string(Syntax)
}

// Suggestion is what was probably meant, or empty.
func Suggestion(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*extra); ok {
		return e.suggestion
	}
	return ""
}
