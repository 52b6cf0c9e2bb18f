package runbook

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Load reads the runbook in the file at path and what it includes. It reports
// every mistake that can be found without a provider's schema in one pass,
// ordered by file and place. The runbook is nil where the file cannot be read
// or parsed, or holds no runbook block; beside other errors it is returned as
// far as it was understood, for Validate and for the text of its files, and
// must not be planned or run.
func Load(path string) (*Runbook, hcl.Diagnostics) {
	rb, found, diags := load(filepath.Clean(path), path, "", &calls{loaded: map[string]*Runbook{}})
	if !found {
		return nil, diags.Diagnostics()
	}
	rb.overfull = diags.Full()
	return rb, diags.Diagnostics()
}

// load loads one file of a tree of calls, which diagnostics call file and which lies
// at path, in root if that is not empty. Where no runbook block is found there
// is still the text of what was read.
func load(file, path, root string, tree *calls) (rb *Runbook, found bool, diags *diag.List) {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		var list diag.List
		list.Add(diag.FileUnreadable.New("%s: %s.", file, err))
		return nil, false, &list
	}
	l := &loader{
		rb: &Runbook{
			OnFailure:   Stop,
			MaxParallel: DefaultMaxParallel,
			File:        file,
			Dir:         dir,
			Variables:   map[string]*Variable{},
			Locals:      map[string]*Local{},
			Providers:   map[string]*Provider{},
			Checks:      map[string]*Check{},
			Sources:     map[string][]byte{},
			Bodies:      map[string]*hclsyntax.Body{},
		},
		declared: map[string]hcl.Range{},
		steps:    map[string]*Step{},
		inMain:   map[string]bool{},
		uses:     map[string][]string{},
		tree:     tree,
	}
	body := l.parse(file, path, root)
	if body == nil {
		return l.rb, false, &l.diags
	}
	found = l.decodeMain(body)
	l.boundSteps()
	for _, inc := range l.includes {
		if !l.diags.Full() {
			l.include(inc)
		}
	}
	for _, call := range l.calls {
		if !l.diags.Full() {
			l.call(call)
		}
	}
	l.boundNotices()
	l.checkReferences()
	l.connect()
	l.reach()
	sortDiagnostics(l.rb.Files, l.diags.Taken())
	l.rb.size = l.size + len(l.rb.Steps)
	return l.rb, found, &l.diags
}

// DefaultMaxParallel is how many actions run side by side unless the runbook
// says otherwise.
const DefaultMaxParallel = 4

// loader gathers what one Load finds.
type loader struct {
	rb        *Runbook
	diags     diag.List
	includes  []include
	declared  map[string]hcl.Range // "variable x" → where
	inMain    map[string]bool      // "variable x": declared by the runbook's own file
	main      bool                 // the file being decoded is the runbook's own
	steps     map[string]*Step
	bodies    []stepBody // what edges and rules need of each step, by index
	rollbacks []pendingRollback

	providerRefs []providerUse       // provider = …, looked up once all is decoded
	checkUses    []checkUse          // check = … and checks = …, likewise
	calls        []pendingCall       // likewise
	tree         *calls              // of the runbooks that call each other
	size         int                 // steps of what is called
	edges        int                 // of all steps
	visits       int                 // of references, through locals
	uses         map[string][]string // "check bars" → "variable max_age", "provider postgres", …
}

// providerUse is one provider = postgres.replica.
type providerUse struct {
	ref string
	at  hcl.Range
}

// checkUse is one check named by check = or checks =.
type checkUse struct {
	CheckUse
	all bool // checks =, where a check without a key means all of its instances
}

func (l *loader) add(d *hcl.Diagnostic) { l.diags.Add(d) }

// SortDiagnostics orders diagnostics about a runbook as a reader meets them: by
// file, its own first, and place; those without a place come first, and that
// there are more comes last. Load and
// Validate return theirs in this order, each for itself.
func SortDiagnostics(rb *Runbook, diags hcl.Diagnostics) { sortDiagnostics(rb.Files, diags) }

func sortDiagnostics(files []string, diags hcl.Diagnostics) {
	rank := make(map[string]int, len(files))
	for i, f := range files {
		rank[f] = i
	}
	place := func(d *hcl.Diagnostic) (file, at int) {
		switch {
		case diag.Last(d):
			return len(files), 0
		case d.Subject == nil:
			return -1, 0
		}
		return rank[d.Subject.Filename], d.Subject.Start.Byte
	}
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		fileA, atA := place(a)
		fileB, atB := place(b)
		return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(atA, atB))
	})
}

// parse reads, scans and parses one file; nil where that failed. Names that are
// not there may be in that file then, so the runbook is incomplete.
func (l *loader) parse(name, path, root string) *hclsyntax.Body {
	l.rb.Files = append(l.rb.Files, name)
	src, d := readFile(name, path, root, MaxFileSize-l.tree.bytes)
	l.tree.bytes += len(src)
	if d != nil {
		l.add(d)
		l.rb.incomplete = true
		return nil
	}
	l.rb.Sources[name] = src
	body, tokens, diags := parseSource(name, src, maxTokens-l.tree.tokens)
	l.tree.tokens += tokens
	l.diags.Add(diags...)
	l.rb.incomplete = l.rb.incomplete || body == nil
	if body != nil {
		l.rb.Bodies[name] = body
	}
	return body
}

// declare notes a name and reports a second declaration of it.
func (l *loader) declare(kind, name string, at hcl.Range) bool {
	key := kind + " " + name
	if first, ok := l.declared[key]; ok {
		l.add(diag.Duplicate.At(at, "%s %q is already declared at %s. Rename one of the two; every name is declared once in a runbook and what it includes.",
			kind, name, place(first)))
		return false
	}
	l.declared[key] = at
	l.inMain[key] = l.main
	return true
}

// place is a range as people read it: file:line.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// rootOf is the provider's name in a reference such as postgres.replica.
func rootOf(ref string) string {
	name, _, _ := strings.Cut(ref, ".")
	return name
}
