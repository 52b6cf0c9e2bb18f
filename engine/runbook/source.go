package runbook

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// MaxFileSize is how large a file may be that the engine parses, and all files
// of a runbook together.
const MaxFileSize = 8 << 20

// readFile reads a file that is to be parsed, of at most this many bytes, in root
// if that is not empty. It opens without waiting, so that a pipe with no writer is
// an answer and not a hang.
func readFile(name, path, root string, most int) ([]byte, *hcl.Diagnostic) {
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	f, err := openInside(path, root)
	if err != nil {
		var perr *fs.PathError
		if errors.As(err, &perr) {
			err = perr.Err
		}
		return nil, diag.FileUnreadable.New("%s: %s.", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, diag.FileUnreadable.New("%s: %s.", name, err)
	case info.IsDir():
		return nil, diag.FileUnreadable.New("%s is a folder. Name a file in it.", name)
	case !info.Mode().IsRegular():
		return nil, diag.FileUnreadable.New("%s is not a regular file.", name)
	}
	src, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, diag.FileUnreadable.New("%s: %s.", name, err)
	}
	switch {
	case len(src) <= most:
	case most < MaxFileSize:
		return nil, diag.FileTooLarge.At(at, "With %s the files of this runbook hold more than 8 MiB, which is the most that is parsed.", name)
	default:
		return nil, diag.FileTooLarge.At(at, "%s holds more than 8 MiB, which is the most that is parsed. Put long text and tables into files that file() reads.", name)
	}
	return src, nil
}

// openInside opens a file that lies in root, if that is not empty: also where a part
// of its path has become a link that leads out of it.
func openInside(path, root string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	if root == "" {
		return os.OpenFile(path, flags, 0)
	}
	inside, err := filepath.Rel(root, path)
	if err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.OpenFile(inside, flags, 0)
}

// ParseFile reads, scans and parses a file that is not part of a runbook, such
// as a file of variables. The body is nil where that failed.
func ParseFile(path string) (*hclsyntax.Body, hcl.Diagnostics) {
	src, d := readFile(path, path, "", MaxFileSize)
	if d != nil {
		return nil, hcl.Diagnostics{d}
	}
	body, _, diags := parseSource(path, src, maxAlone)
	return body, diags
}

// ParseConstants is ParseFile for a file in which every value is written out:
// none of them takes longer to evaluate than to read.
func ParseConstants(path string) (*hclsyntax.Body, hcl.Diagnostics) {
	body, diags := ParseFile(path)
	if body == nil {
		return nil, diags
	}
	if at, ok := notConstant(body); ok {
		return nil, hcl.Diagnostics{diag.NotConstant.At(at, "Every value of this file is written out, without references, function calls or for expressions.")}
	}
	return body, diags
}

// parseSource scans and parses the text of a file of at most this many tokens,
// and tells how many it has.
func parseSource(name string, src []byte, most int) (body *hclsyntax.Body, tokens int, diags hcl.Diagnostics) {
	tokens, diags = scan(name, src, frame{open: openFile}, most)
	if diags.HasErrors() {
		return nil, tokens, diags
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	diags = explainSyntax(src, diags)
	if diags.HasErrors() {
		return nil, tokens, diags
	}
	return file.Body.(*hclsyntax.Body), tokens, diags
}
