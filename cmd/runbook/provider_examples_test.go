package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Every probe and action has an example, and each is part of a runbook that
// `runbook validate` has nothing against.
func TestExamplesOfProviders(t *testing.T) {
	for name, provider := range bundled.Providers() {
		t.Run(name, func(t *testing.T) {
			p := provider()
			examples, err := sdk.ReadExamples(p.Examples)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			fmt.Fprintf(&text, "runbook \"examples\" {}\n")
			if needed := required(p.Schema().Config); needed != "" {
				fmt.Fprintf(&text, "provider %q {\n%s}\n", name, needed)
			}
			for i, op := range p.Schema().Operations {
				example := examples.Of(name, op.Kind, op.Name)
				switch {
				case example == "":
					t.Errorf("%s %s.%s has no example", op.Kind, name, op.Name)
				case op.Kind == schema.Probe:
					fmt.Fprintf(&text, "step \"example_%d\" {\n  precondition \"look\" {\n%s\n  }\n  action \"core.log\" {\n    message = \"seen\"\n  }\n}\n", i, example)
				default:
					fmt.Fprintf(&text, "step \"example_%d\" {\n%s\n}\n", i, example)
				}
			}
			path := filepath.Join(t.TempDir(), "examples.hcl")
			if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diags := engine.New(engine.Options{Catalog: bundled.NewCatalog(bundled.Providers(), "core")}).Validate(t.Context(), path)
			for _, d := range diags {
				if d.Severity == hcl.DiagError {
					t.Errorf("%s: %s: %s", d.Subject, d.Summary, d.Detail)
				}
			}
		})
	}
}

// required is a body with every attribute that has to be there.
func required(object schema.Object) string {
	var body strings.Builder
	for _, a := range object.Attributes {
		if a.Required {
			fmt.Fprintf(&body, "  %s = \"example\"\n", a.Name)
		}
	}
	return body.String()
}
