// Command gendocs writes docs/cli.md from the commands, docs/reference/language.md
// from the language, and docs/lint from the rules. `make generate` runs it.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/cli"
)

func main() {
	docs := os.Args[1]
	err := write(filepath.Join(docs, "cli.md"), cli.WriteReference)
	if err == nil {
		err = write(filepath.Join(docs, "reference", "language.md"), cli.WriteLanguageReference)
	}
	for name, page := range cli.LintReference() {
		if err == nil {
			err = os.WriteFile(filepath.Join(docs, "lint", name), page, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// write puts a page into a file, which is left as it is where the page fails.
func write(path string, page func(io.Writer) error) error {
	var text bytes.Buffer
	if err := page(&text); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
