package runbook_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// loadFile loads a file that must be right.
func loadFile(t testing.TB, path string) *runbook.Runbook {
	t.Helper()
	rb, diags := runbook.Load(path)
	for _, d := range diags {
		t.Errorf("%s: %s", d.Subject, text(d))
	}
	if t.Failed() {
		t.FailNow()
	}
	return rb
}

// loadText loads the text of a runbook that must be right.
func loadText(t testing.TB, source string) *runbook.Runbook {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.hcl")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return loadFile(t, path)
}

// edges writes the edges of each step: "delete < dump(need)".
func edges(rb *runbook.Runbook) []string {
	kinds := map[runbook.EdgeKind]string{runbook.Order: "order", runbook.Wait: "wait", runbook.Need: "need"}
	var lines []string
	for _, s := range rb.Steps {
		var to []string
		for _, e := range s.Edges {
			to = append(to, fmt.Sprintf("%s(%s)", e.To.Name, kinds[e.Kind]))
		}
		slices.Sort(to)
		lines = append(lines, s.Name+" < "+strings.Join(to, " "))
	}
	return lines
}

func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

func TestLoadEveryWord(t *testing.T) {
	rb := loadFile(t, "testdata/good/recovery.hcl")

	type head struct {
		Name, Title, Description, Owner, Severity string
		Labels                                    map[string]string
		Timeout                                   time.Duration
		OnFailure                                 runbook.OnFailure
		MaxParallel                               int
		File                                      string
		Files                                     []string
	}
	got := head{rb.Name, rb.Title, rb.Description, rb.Owner, rb.Severity, rb.Labels, rb.Timeout, rb.OnFailure, rb.MaxParallel, rb.File, rb.Files}
	want := head{
		"recovery", "PostgreSQL → Feast sync recovery", "Use when inference reads stale features.\nCosts nothing where all is well.\n",
		"trading-platform", "low", map[string]string{"contract": "SYNC-19", "tier": "1"}, 30 * time.Minute, runbook.Continue, 2,
		"testdata/good/recovery.hcl",
		[]string{"testdata/good/recovery.hcl", "testdata/good/shared/stack.hcl", "testdata/good/shared/checks.hcl", "testdata/good/shared/escalation.hcl"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	var reached []string
	for _, name := range slices.Sorted(maps.Keys(rb.Variables)) {
		if rb.Variables[name].Reached {
			reached = append(reached, name)
		}
	}
	kept := []string{names(rb.Variables), strings.Join(reached, " "), names(rb.Locals), names(rb.Providers), names(rb.Checks), strings.Join(rb.Diagnosis, " ")}
	wantKept := []string{
		"channel connection far_away max_age password redis_host unused",
		"channel connection max_age password redis_host",
		"channel limit newest stored",
		"postgres postgres.replica redis",
		"bars both redis",
		"bars redis",
	}
	if diff := cmp.Diff(wantKept, kept); diff != "" {
		t.Errorf("what is kept of the files:\n%s", diff)
	}

	wantEdges := []string{
		"dump < ",
		"delete < dump(need)",
		"side < ",
		"after < delete(wait) dump(need) side(need)",
		"gate < after(order) delete(need) side(order)",
	}
	if diff := cmp.Diff(wantEdges, edges(rb)); diff != "" {
		t.Error(diff)
	}

	bars := rb.Checks["bars"]
	if diff := cmp.Diff([]any{
		"check", "bars", "PostgreSQL holds a recent bar", "postgres.query", "postgres.replica", true, time.Minute, 5 * time.Second, 3 * time.Second,
	}, []any{
		bars.Kind, bars.Name, bars.Description, bars.Probe.Type(), bars.Probe.Ref, bars.Probe.Sensitive, *bars.Within, *bars.Every, *bars.Timeout,
	}); diff != "" {
		t.Error(diff)
	}
	attrs, diags := bars.Probe.Body.JustAttributes()
	if diags.HasErrors() || names(attrs) != "sql" {
		t.Errorf("arguments of the probe: %s %s", names(attrs), diags)
	}

	del := rb.Steps[1]
	if diff := cmp.Diff([]any{
		"step.delete", runbook.Ignore, 5 * time.Minute, []string{"bars", "redis"}, "skip", "bars", "block", 1, 1, true, "postgres.delete",
	}, []any{
		del.Address(), del.OnFailure, del.Timeout, del.WhenChecks, del.Preconditions[0].Otherwise, del.Preconditions[0].Checks[0].Name,
		del.Preconditions[1].Otherwise, len(del.Goals), len(del.Verifies), del.Limit != nil, del.Operation().Type(),
	}); diff != "" {
		t.Error(diff)
	}
	if !rb.Steps[4].Always || rb.Steps[4].Operation() != nil || rb.Steps[4].OnFailure != runbook.Continue {
		t.Errorf("gate: %+v", rb.Steps[4])
	}
}

func TestEdges(t *testing.T) {
	step := func(name string, lines ...string) string {
		return "step \"" + name + "\" {\n" + strings.Join(lines, "\n") + "\n  action \"core.log\" {\n    message = \"m\"\n  }\n}\n"
	}
	tests := []struct {
		name  string
		steps []string
		want  []string
	}{
		{"a list", []string{step("a"), step("b"), step("c")}, []string{"a < ", "b < a(order)", "c < b(order)"}},
		{
			"a fan joins before the next step in order",
			[]string{step("a"), step("b", "depends_on = [step.a]"), step("c", "depends_on = [step.a]"), step("d"), step("e")},
			[]string{"a < ", "b < a(need)", "c < a(need)", "d < a(order) b(order) c(order)", "e < d(order)"},
		},
		{
			"at once",
			[]string{step("a"), step("b", "depends_on = []"), step("c")},
			[]string{"a < ", "b < ", "c < a(order) b(order)"},
		},
		{
			"the strongest kind is kept",
			[]string{step("a"), step("b", "depends_on = [step.a]", "when = step.a.status == \"done\""), step("c", "precondition \"p\" {", "assert = step.a.status == step.a.finished_at", "}")},
			[]string{"a < ", "b < a(need)", "c < a(need) b(order)"},
		},
		{
			"a when that reads a status only waits, whatever else is read",
			[]string{step("a"), step("b", "when = step.a.status == \"failed\"", "precondition \"p\" {", "assert = step.a.result.ok", "}")},
			[]string{"a < ", "b < a(wait)"},
		},
		{
			"a status read elsewhere waits",
			[]string{step("a"), step("b", "precondition \"p\" {", "assert = step.a.status == \"done\"", "}")},
			[]string{"a < ", "b < a(wait)"},
		},
		{
			"through locals",
			[]string{step("a"), step("b", "depends_on = []", "precondition \"p\" {", "assert = local.two", "}"), "locals {\n  one = step.a.result.ok\n  two = local.one\n}\n"},
			[]string{"a < ", "b < a(need)"},
		},
		{
			"a later step that waits for nothing written",
			[]string{step("a", "precondition \"p\" {", "assert = step.b.result.ok", "}"), step("b", "depends_on = []")},
			[]string{"a < b(need)", "b < "},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rb := loadText(t, "runbook \"x\" {}\n"+strings.Join(tt.steps, ""))
			if diff := cmp.Diff(tt.want, edges(rb)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	rb := loadText(t, `
runbook "x" {}
variable "v" {
  default = 1
}
step "a" {
  probe "x.y" {}
}
output "o" {
  value = [for v in [var.v] : "${v} ${try(step.a.result.rows[0].v, run["id"])} ${path.runbook}"]
}
`)
	var got []string
	for _, r := range runbook.References(rb.Outputs[0].Value) {
		got = append(got, fmt.Sprintf("%s/%s/%s/%s %t %d:%d", r.Root, r.Name, r.Attr, r.Sub, r.Guarded, r.Range.Start.Line, r.Range.Start.Column))
	}
	want := []string{
		"var/v// false 10:22",
		"step/a/result/rows true 10:43",
		"run/id// true 10:68",
		"path/runbook// false 10:82",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnreadable has no line to point at.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.hcl")
	if err := os.WriteFile(big, make([]byte, 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{filepath.Join(dir, "missing.hcl"), "file_unreadable: Cannot read file. DIR/missing.hcl: no such file or directory."},
		{dir, "file_unreadable: Cannot read file. DIR is a folder. Name a file in it."},
		{"/dev/null", "file_unreadable: Cannot read file. /dev/null is not a regular file."},
		{big, "file_too_large: File too large. DIR/big.hcl holds more than 8 MiB, which is the most that is parsed. Put long text and tables into files that file() reads."},
	}
	for _, tt := range tests {
		rb, diags := runbook.Load(tt.path)
		if rb != nil || len(diags) != 1 {
			t.Fatalf("%s: %v %s", tt.path, rb, diags)
		}
		if diff := cmp.Diff(tt.want, strings.ReplaceAll(text(diags[0]), dir, "DIR")); diff != "" {
			t.Error(diff)
		}
	}
}

// TestIncludeStaysInside without a repository is bound to the runbook's folder.
func TestIncludeStaysInside(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "outside.hcl"), "")
	write(filepath.Join(inner, "sub", "fine.hcl"), "")
	if err := os.Symlink("../outside.hcl", filepath.Join(inner, "link.hcl")); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(inner, "main.hcl")
	reported := func() []string {
		write(main, "runbook \"x\" {\n  include = [\"../outside.hcl\",\n\"link.hcl\",\n\"sub/fine.hcl\"]\n}\n")
		_, diags := runbook.Load(main)
		var got []string
		for _, d := range diags {
			got = append(got, fmt.Sprintf("%d %s", d.Subject.Start.Line, strings.ReplaceAll(d.Detail, dir, "DIR")))
		}
		return got
	}
	want := []string{
		`2 "../outside.hcl" lies outside the runbook's folder DIR/inner. An include cannot leave it, also not by a link.`,
		`3 "link.hcl" lies outside the runbook's folder DIR/inner. An include cannot leave it, also not by a link.`,
	}
	if diff := cmp.Diff(want, reported()); diff != "" {
		t.Error(diff)
	}
	write(filepath.Join(dir, ".git", "HEAD"), "")
	if diff := cmp.Diff([]string(nil), reported()); diff != "" {
		t.Errorf("inside a repository:\n%s", diff)
	}
}

// FuzzLoad loads anything: it may report, but never panics.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.hcl", "testdata/broken/shared/*.hcl", "testdata/good/*.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	path := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(path, src, 0o600); err != nil {
			t.Fatal(err)
		}
		rb, diags := runbook.Load(path)
		if rb == nil && !diags.HasErrors() {
			t.Error("neither a runbook nor an error")
		}
		if rb != nil {
			diags = append(diags, runbook.Validate(rb, testCatalog())...)
		}
		for _, d := range diags {
			if d.Subject != nil && (d.Subject.Start.Byte > d.Subject.End.Byte || d.Subject.End.Byte > len(src) || d.Subject.Start.Line < 1) {
				t.Errorf("%s points nowhere: %#v", text(d), d.Subject)
			}
		}
	})
}

// manySteps is a runbook of n steps of about 19 lines.
func manySteps(n int) string {
	var b strings.Builder
	b.WriteString("runbook \"many\" {}\nvariable \"max\" {\n  default = 5\n}\nlocals {\n  limit = var.max * 2\n}\n")
	for i := range n {
		fmt.Fprintf(&b, `step "s%[1]d" {
  title = "Step %[1]d"
  precondition "ready" {
    assert  = local.limit > %[1]d || var.max > 0
    message = "the limit is ${local.limit}"
    within  = "1m"
  }
  action "core.log" {
    message = "step %[1]d of ${var.max}"
  }
  verify "done" {
    assert = var.max > 0
  }
  timeout = "5m"
`, i)
		if i > 0 {
			fmt.Fprintf(&b, "  when = step.s%d.status != \"failed\"\n", i-1)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "many.hcl")
			if err := os.WriteFile(path, []byte(manySteps(n)), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			edges := 0
			for b.Loop() {
				rb, diags := runbook.Load(path)
				if diags.HasErrors() {
					b.Fatal(diags)
				}
				edges = 0
				for _, s := range rb.Steps {
					edges += len(s.Edges)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/step")
			b.ReportMetric(float64(edges)/float64(n), "edges/step")
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rb := loadText(b, manySteps(n))
			for b.Loop() {
				if diags := runbook.Validate(rb, testCatalog()); diags.HasErrors() {
					b.Fatal(diags)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/step")
		})
	}
}
