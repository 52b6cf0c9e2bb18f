package eval

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// readInside reads a text file in dir. Nothing outside dir is opened, also not
// through links.
func readInside(dir, name string) (string, error) {
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
			return "", fmt.Errorf("%s lies outside the runbook's folder %s", name, dir)
		}
		name = rel
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("open the runbook's folder: %w", reason(err))
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("open %s in the runbook's folder: %w", name, reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", name, reason(err))
	case len(b) > maxBytes:
		return "", fmt.Errorf("%s holds more than 8 MiB", name)
	case !utf8.Valid(b):
		return "", fmt.Errorf("%s is not text in UTF-8", name)
	}
	return string(b), nil
}

// reason is what went wrong without the path, which is said already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func fileFunc(dir string) function.Function {
	return fallibleTextFunc("The text of a file in the runbook's folder.", func(name string) (string, error) {
		return readInside(dir, name)
	})
}

// templates is what templatefile works with: a folder, and what a template may
// call, which is all but templatefile itself.
type templates struct {
	dir   string
	table map[string]function.Function
}

// function is templatefile within the budget of the evaluation that calls it.
// Such a template sees the given variables.
func (t *templates) function(b *budget) function.Function {
	return function.New(&function.Spec{
		Description: "The text of a file in the runbook's folder, evaluated as a template.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}, anyParam("variables")},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return t.render(args[0].AsString(), args[1], b)
		},
	})
}

func (t *templates) render(name string, vars cty.Value, b *budget) (cty.Value, error) {
	if !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
		return cty.DynamicVal, function.NewArgErrorf(1, "the variables are an object, such as { name = value }")
	}
	text, err := readInside(t.dir, name)
	if err != nil {
		return cty.DynamicVal, function.NewArgError(0, err)
	}
	if !b.spend(len(text)/4, hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}) {
		return cty.DynamicVal, errors.New(b.why.Detail)
	}
	if diags := runbook.ScanTemplate(name, []byte(text)); diags.HasErrors() {
		return cty.DynamicVal, function.NewArgErrorf(0, "%s", diags[0].Detail)
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, function.NewArgErrorf(0, "%s:%d: %s", name, diags[0].Subject.Start.Line, diags[0].Detail)
	}
	hctx := &hcl.EvalContext{Variables: map[string]cty.Value{budgetName: b.value}, Functions: t.table}
	for k, v := range vars.Elements() {
		hctx.Variables[k.AsString()] = v
	}
	v, diags := binder{}.bound(expr).Value(hctx)
	switch {
	case b.why != nil:
		return cty.DynamicVal, errors.New(b.why.Detail)
	case diags.HasErrors():
		return cty.DynamicVal, function.NewArgErrorf(0, "%s:%d: %s", name, diags[0].Subject.Start.Line, diags[0].Detail)
	}
	return v, nil
}
