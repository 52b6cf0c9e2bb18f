package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/runbook-engine/runbook/engine/diag"
)

// twoFindings are one with a place and one without, and what a format could trip
// over.
func twoFindings() Findings {
	at := hcl.Range{Filename: "a b/näh.hcl", Start: hcl.Pos{Line: 3, Column: 5, Byte: 20}, End: hcl.Pos{Line: 4, Column: 2, Byte: 30}}
	placed := diag.Kind("mutation_without_proof").WarnAt(at, "100 %% of it: a,b\nand ::error::more")
	placed.Summary = "A change that nothing proves"
	return Findings{
		Files: []string{"a b/näh.hcl", "gone.hcl"}, Runbooks: 2,
		Diagnostics: hcl.Diagnostics{placed, diag.FileUnreadable.New("gone.hcl: no such file or directory."), placed},
	}
}

// What is written as SARIF is read by a library of others that knows every word of
// the standard, and refuses all others.
func TestFindingsAreSARIF(t *testing.T) {
	for name, findings := range map[string]Findings{"some": twoFindings(), "none": {}} {
		var page bytes.Buffer
		if err := WriteFindingsSARIF(&page, "1.2.3", findings); err != nil {
			t.Fatal(err)
		}
		var report sarif.Report
		decoder := json.NewDecoder(bytes.NewReader(page.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&report); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, page.String())
		}
		got := []string{report.Version}
		for _, run := range report.Runs {
			got = append(got, *run.Tool.Driver.Name+" "+*run.Tool.Driver.Version)
			for _, result := range run.Results {
				rule := run.Tool.Driver.Rules[result.RuleIndex]
				got = append(got, fmt.Sprintf("%s %s (%s): %s", result.Level, *result.RuleID, *rule.ID, *result.Message.Text))
				for _, location := range result.Locations {
					region := location.PhysicalLocation.Region
					got = append(got, fmt.Sprintf("%s:%d:%d-%d:%d", *location.PhysicalLocation.ArtifactLocation.URI, *region.StartLine, *region.StartColumn, *region.EndLine, *region.EndColumn))
				}
			}
		}
		want := []string{"2.1.0", "runbook 1.2.3"}
		if name == "some" {
			placed := []string{"warning mutation_without_proof (mutation_without_proof): 100 % of it: a,b\nand ::error::more", "a%20b/n%C3%A4h.hcl:3:5-4:2"}
			want = slices.Concat(want, placed, []string{"error file_unreadable (file_unreadable): gone.hcl: no such file or directory."}, placed)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFindingsAreGitHubCommands(t *testing.T) {
	var page bytes.Buffer
	if err := WriteFindingsGitHub(&page, twoFindings()); err != nil {
		t.Fatal(err)
	}
	placed := "::warning file=a b/näh.hcl,line=3,endLine=4,col=5,title=A change that nothing proves [mutation_without_proof]::100 %25 of it: a,b%0Aand ::error::more"
	want := []string{placed, "::error title=Cannot read file [file_unreadable]::gone.hcl: no such file or directory.", placed, ""}
	if diff := cmp.Diff(want, strings.Split(page.String(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is said of a file with a thousand mistakes can be read, in every format.
func TestFindingsAreBounded(t *testing.T) {
	findings := twoFindings()
	for range 10 * diag.MaxListed {
		findings.Diagnostics = append(findings.Diagnostics, findings.Diagnostics[0])
	}
	var page bytes.Buffer
	if err := WriteFindings(&page, Style{Unicode: true}, findings); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), "mutation_without_proof"); n != diag.MaxListed-1 || !strings.Contains(page.String(), "more than 100 mistakes") {
		t.Errorf("%d are listed:\n%.500s", n, page.String())
	}
	if !strings.HasSuffix(page.String(), "2 files read, 2 runbooks: 1 error, 1,002 warnings.\n") {
		t.Errorf("it ends with %q", page.String()[page.Len()-80:])
	}
}

func TestFindingsAreJSON(t *testing.T) {
	for _, findings := range []Findings{twoFindings(), {}} {
		var page bytes.Buffer
		if err := WriteFindingsJSON(&page, findings); err != nil {
			t.Fatal(err)
		}
		validate(t, "report.json", page.Bytes())
	}
}
