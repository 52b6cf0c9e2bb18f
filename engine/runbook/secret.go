package runbook

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// warnOfSecret warns of a sensitive value that is written out as a default. The
// file is no secret: it is in version control. The warning points at the block,
// since the lines it points at are shown.
func (l *loader) warnOfSecret(v *Variable, given cty.Value) {
	if !v.Sensitive || given.IsNull() {
		return
	}
	if t := given.Type(); t == cty.String && given.AsString() == "" || !t.IsPrimitiveType() && given.LengthInt() == 0 {
		return
	}
	l.add(diag.SecretInFile.WarnAt(v.Range, "The variable %q is sensitive, but its default can be read by whoever reads this file. Leave it out, and give the value by env, by file or by RUNBOOK_VAR_%s.", v.Name, v.Name))
}
