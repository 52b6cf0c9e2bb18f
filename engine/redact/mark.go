// Package redact keeps secrets out of everything that people and files get to
// see: the mark that values carry, the wrapper that Go code hands them round
// in, and the one Redactor that scrubs text from outside. It decides nothing
// about what is secret; whoever knows says so with Mark or Add.
package redact

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Text stands where a secret was.
const Text = "(sensitive)"

// Sensitive is the cty mark of values that must not be shown.
const Sensitive = schema.Sensitive

// Mark makes v sensitive as a whole.
func Mark(v cty.Value) cty.Value { return v.Mark(Sensitive) }

// IsSensitive reports whether v is sensitive, or anything inside it.
func IsSensitive(v cty.Value) bool { return v.HasMarkDeep(Sensitive) }
