package sdk_test

import (
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func TestReadExamples(t *testing.T) {
	e, err := sdk.ReadExamples("# Why.\nprobe \"demo.look\" {}\n\n# What.\naction \"demo.look\" {\n  a = \"{}\" # b\n}\nprobe \"demo.look\" {\n  later = true\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Of("demo", schema.Probe, "look"); got != "# Why.\nprobe \"demo.look\" {}" {
		t.Errorf("%q", got)
	}
	if got := e.Of("demo", schema.Action, "look"); got != "# What.\naction \"demo.look\" {\n  a = \"{}\" # b\n}" {
		t.Errorf("%q", got)
	}
	if got := e.Of("demo", schema.Action, "other"); got != "" {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]string{"probe {": "read the examples", "probe {}": "line 1: a block has one label"} {
		if _, err := sdk.ReadExamples(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}
