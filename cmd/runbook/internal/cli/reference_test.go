package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

// docs is where the generated reference lies.
const docs = "../../../../docs"

// What is generated and committed is what `make generate` would write.
func TestReferenceIsCurrent(t *testing.T) {
	var page bytes.Buffer
	if err := WriteReference(&page); err != nil {
		t.Fatal(err)
	}
	current(t, filepath.Join(docs, "cli.md"), page.Bytes())

	page.Reset()
	if err := WriteLanguageReference(&page); err != nil {
		t.Fatal(err)
	}
	current(t, filepath.Join(docs, "reference", "language.md"), page.Bytes())

	rules := map[string]bool{}
	for name, page := range LintReference() {
		current(t, filepath.Join(docs, "lint", name), page)
		rules[name] = true
	}
	onlyThese(t, "lint", rules)

	pages := map[string]bool{}
	for _, provider := range bundledSchemas() {
		page.Reset()
		if err := ui.WriteProviderMarkdown(&page, provider, examples(provider.Name)); err != nil {
			t.Fatal(err)
		}
		current(t, filepath.Join(docs, "providers", provider.Name+".md"), page.Bytes())
		pages[provider.Name+".md"] = true
	}
	onlyThese(t, "providers", pages)
}

// onlyThese reports pages in a folder of docs that nothing generates any more.
func onlyThese(t *testing.T, folder string, pages map[string]bool) {
	t.Helper()
	written, err := os.ReadDir(filepath.Join(docs, folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range written {
		if !pages[page.Name()] {
			t.Errorf("docs/%s/%s is generated from nothing", folder, page.Name())
		}
	}
}

func current(t *testing.T, path string, want []byte) {
	t.Helper()
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run make generate", err)
	}
	if diff := cmp.Diff(string(want), string(written)); diff != "" {
		t.Errorf("%s is not current, run make generate (-generated +written):\n%s", path, diff)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newCmdRoot(&app{}))
}
