package ui

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

const brokenSource = "step \"copy\" {\n\tend_tme = var.limit > local.hosts[0].size ? upper(var.password) : var.later\r\n  argv = [\n    \"é\",\n    \"a\",\n    \"b\",\n    \"c\",\n  ]\n}\n"

// brokenDiagnostics are a warning and two errors in brokenSource.
func brokenDiagnostics(t *testing.T) hcl.Diagnostics {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(brokenSource), "copy.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body := file.Body.(*hclsyntax.Body).Blocks[0].Body
	end, argv := body.Attributes["end_tme"], body.Attributes["argv"]
	scope := &hcl.EvalContext{Variables: map[string]cty.Value{
		"var": cty.ObjectVal(map[string]cty.Value{
			"limit":    cty.NumberIntVal(600),
			"password": cty.StringVal("hunter2").Mark("sensitive"),
			"later":    cty.UnknownVal(cty.String),
		}),
		"local": cty.ObjectVal(map[string]cty.Value{
			"hosts": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"size": cty.StringVal("large")})}),
		}),
	}}
	return hcl.Diagnostics{
		{Severity: hcl.DiagWarning, Summary: "Long list", Detail: "Nobody reads it.", Subject: argv.SrcRange.Ptr()},
		diag.Suggest(diag.UnknownArgument.At(end.NameRange, "A step has no argument %q.", "end_tme"), "end_time"),
		{Severity: hcl.DiagError, Summary: "Wrong type", Detail: "A number is needed.", Subject: end.Expr.Range().Ptr(), Expression: end.Expr, EvalContext: scope},
		{Severity: hcl.DiagError, Summary: "No place", Detail: "The environment lab is not known."},
		{Severity: hcl.DiagError, Summary: "Other file", Subject: &hcl.Range{Filename: "gone.hcl", Start: hcl.Pos{Line: 3, Column: 1, Byte: 90}, End: hcl.Pos{Line: 3, Column: 4, Byte: 93}}},
	}
}

func TestWriteDiagnostics(t *testing.T) {
	sources := Sources{"copy.hcl": []byte(brokenSource)}
	for name, style := range map[string]Style{"diagnostics_ci.txt": ciLog, "diagnostics_terminal.txt": terminal, "diagnostics_narrow.txt": narrow} {
		var out bytes.Buffer
		if err := WriteDiagnostics(&out, style, sources, brokenDiagnostics(t)); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(out.Bytes(), []byte("hunter2")) {
			t.Errorf("%s tells a secret:\n%s", name, out.String())
		}
		golden(t, name, out.String())
	}
}

// Of a line that nobody could read whole the part is shown that matters, and of a
// text of megabytes the beginning.
func TestWriteDiagnosticsOfLongLines(t *testing.T) {
	line := "a = \"" + strings.Repeat("é", 500_000) + "\" bad " + strings.Repeat("ü", 500_000)
	at := strings.Index(line, "bad")
	problem := &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: strings.Repeat("s", 1<<20), Detail: strings.Repeat("d", 1<<20),
		Subject: &hcl.Range{Filename: "x.hcl", Start: hcl.Pos{Line: 2, Column: 500_007, Byte: at + 2}, End: hcl.Pos{Line: 2, Column: 500_010, Byte: at + 5}},
	}
	diag.WithSuggestion(problem, strings.Repeat("m", 1<<20))
	var text, json bytes.Buffer
	if err := WriteDiagnostics(&text, ciLog, Sources{"x.hcl": []byte("#\n" + line)}, hcl.Diagnostics{problem}); err != nil {
		t.Fatal(err)
	}
	if err := WriteReportJSON(&json, Report{Diagnostics: hcl.Diagnostics{problem}}); err != nil {
		t.Fatal(err)
	}
	if text.Len() > 20_000 || json.Len() > 20_000 {
		t.Errorf("%d bytes of text, %d of JSON", text.Len(), json.Len())
	}
	source, tildes := "", ""
	for shown := range strings.Lines(text.String()) {
		if strings.HasPrefix(shown, "     2: ") {
			source = shown
		} else if strings.Contains(shown, "~") {
			tildes = shown
		}
	}
	from, to := len([]rune(tildes[:strings.Index(tildes, "~")])), len([]rune(strings.TrimRight(tildes, "\n")))
	if marked := string([]rune(source)[from:to]); marked != "bad" {
		t.Errorf("%q is underlined in\n%s%s", marked, source, tildes)
	}
}

func TestWriteReportJSON(t *testing.T) {
	var out bytes.Buffer
	if err := WriteReportJSON(&out, Report{Diagnostics: brokenDiagnostics(t)}); err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.json", out.String())
	validate(t, "report.json", out.Bytes())
}
