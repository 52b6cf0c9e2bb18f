package runbook

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// include is one entry of the runbook's include list.
type include struct {
	path string
	at   hcl.Range
}

func (l *loader) decodeInclude(body *hclsyntax.Body) {
	v, at, ok := l.value(body, "include", cty.List(cty.String))
	if !ok {
		return
	}
	ranges := make([]hcl.Range, 0, v.LengthInt())
	if items, diags := hcl.ExprList(body.Attributes["include"].Expr); !diags.HasErrors() {
		for _, item := range items {
			ranges = append(ranges, item.Range())
		}
	}
	for i, item := range v.AsValueSlice() {
		where := at
		if i < len(ranges) {
			where = ranges[i]
		}
		if item.IsNull() || item.AsString() == "" {
			l.add(diag.InvalidInclude.At(where, "An include is the path of a file, relative to this one."))
			continue
		}
		l.includes = append(l.includes, include{path: item.AsString(), at: where})
	}
}

// include reads one included file and decodes what it shares.
func (l *loader) include(inc include) {
	name, path, root, why := l.resolve("include", inc.path)
	if why == "" {
		if _, read := l.rb.Sources[name]; read {
			l.add(diag.InvalidInclude.At(inc.at, "%q is already part of this runbook.", inc.path))
			return
		}
	}
	if why != "" {
		l.rb.incomplete = true
		l.add(diag.InvalidInclude.At(inc.at, "%s", why))
		return
	}
	body := l.parse(name, path, root)
	if body == nil {
		return
	}
	l.checkIncluded(body)
	l.decodeShared(body)
}

// resolve finds a file that the runbook names: as diagnostics name it, where it
// really lies, and the folder that it must not leave until it is opened; or why it
// may not be read.
func (l *loader) resolve(what, said string) (name, path, root, why string) {
	if filepath.IsAbs(said) {
		return "", "", "", fmt.Sprintf("%q is absolute. %s is relative to the runbook, so that the same files work in every checkout.", said, upper(strings.ToLower(article(what))))
	}
	path, err := filepath.EvalSymlinks(filepath.Join(l.rb.Dir, said))
	if err != nil {
		return "", "", "", fmt.Sprintf("There is no file %q beside %s.", said, l.rb.File)
	}
	root, bounds := includeRoot(l.rb.Dir)
	if path != root && !strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/") {
		return "", "", "", fmt.Sprintf("%q lies outside the %s %s. %s cannot leave it, also not by a link.", said, bounds, root, upper(strings.ToLower(article(what))))
	}
	return filepath.Join(filepath.Dir(l.rb.File), said), path, root, ""
}

func (l *loader) checkIncluded(body *hclsyntax.Body) {
	for _, attr := range SortedAttributes(body) {
		l.add(unknownArgument(attr, includedBlock))
	}
	for _, block := range body.Blocks {
		switch block.Type {
		case "variable", "locals", "provider", "check", "notify", "escalation":
		case "runbook", "step", "output":
			l.add(diag.InvalidInclude.At(block.DefRange(), "An included file holds variables, locals, providers, checks, notifies and escalations, which runbooks share; a %s belongs into a runbook's own file.", block.Type))
		default:
			l.add(unknownBlock(block, includedBlock))
		}
	}
}

// includeRoot is the folder that includes cannot leave, links resolved: the
// repository of dir, or dir itself where there is none.
func includeRoot(dir string) (root, what string) {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		resolved = dir
	}
	for at := resolved; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, "repository"
		}
		if at == filepath.Dir(at) {
			return resolved, "runbook's folder"
		}
	}
}
