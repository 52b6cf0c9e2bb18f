package main

import (
	"flag"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the pages of the examples anew")

// Every example has a page that is kept true.
func TestEveryExampleHasAScript(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("..", "..", "examples", "[0-9][0-9]-*"))
	if err != nil || len(folders) == 0 {
		t.Fatal("no examples", err)
	}
	for _, folder := range folders {
		name := filepath.Base(folder)
		script, err := os.ReadFile(filepath.Join("testdata", "script", "example_"+strings.ReplaceAll(name, "-", "_")+".txtar"))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(script), "\nexample "+name+"\n") {
			t.Errorf("the script of %s does not try it", name)
		}
	}
}

// example NAME: types every command of examples/NAME/README.md in a copy of that
// folder, and compares what the page shows with what really comes, and with the
// files there. `go test ./cmd/runbook -run TestScripts -update` writes the pages
// anew; read them then.
func example(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: example NAME")
	}
	source := filepath.Join(ts.Getenv("REPOSITORY"), "examples", args[0])
	folder := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(folder, os.DirFS(source)))
	page := ts.ReadFile(filepath.Join(source, "README.md"))
	for _, shown := range listings.FindAllStringSubmatch(page, -1) {
		if !isFile(ts, source, shown[1]) {
			ts.Fatalf("no file in %s holds just this:\n%s", source, shown[1])
		}
	}
	comes := consoles.ReplaceAllStringFunc(page, func(block string) string { return retype(ts, folder, block) })
	switch diff := cmp.Diff(steady(comes), steady(page)); {
	case diff == "":
	case *update:
		ts.Check(os.WriteFile(filepath.Join(source, "README.md"), []byte(comes), 0o644))
	default:
		ts.Fatalf("the page does not show what comes (-comes +shown):\n%s", diff)
	}
}

// What a page shows: files, and transcripts.
var (
	listings = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")
	consoles = regexp.MustCompile("(?ms)^```console\n.*?^```$")
)

// isFile says whether one of the folder's files holds just the text.
func isFile(ts *testscript.TestScript, folder, text string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*.hcl"))
	ts.Check(err)
	return slices.ContainsFunc(files, func(file string) bool { return ts.ReadFile(file) == text })
}

// retype runs the commands of one transcript and puts what they print under
// each.
func retype(ts *testscript.TestScript, folder, block string) string {
	var b strings.Builder
	b.WriteString("```console\n")
	for _, line := range strings.Split(block, "\n") {
		command, typed := strings.CutPrefix(line, "$ ")
		if !typed {
			continue
		}
		// A command that fails is part of some stories: they print its exit code.
		_ = ts.Exec("sh", "-c", "exec 2>&1; cd '"+folder+"'; "+command)
		b.WriteString(line + "\n" + anonymous(ts, strings.ReplaceAll(ts.ReadFile("stdout"), folder, "…")))
	}
	b.WriteString("```")
	return b.String()
}

// anonymous is a transcript that tells nothing of whoever made it.
func anonymous(ts *testscript.TestScript, text string) string {
	me, err := user.Current()
	ts.Check(err)
	who := regexp.MustCompile(`(by|Hello,) ` + regexp.QuoteMeta(me.Username) + `\b`)
	where := regexp.MustCompile(`(by ana) on [^\s,]+`)
	return where.ReplaceAllString(who.ReplaceAllString(text, "$1 ana"), "$1 on trading-1")
}

// steady is a page without what differs from run to run.
func steady(page string) string {
	for _, r := range differing {
		page = r.pattern.ReplaceAllString(page, r.with)
	}
	return page
}

var differing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{8}`), "RUN"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`(\d{4}-\d\d-\d\d )?\b\d\d:\d\d:\d\d\b`), "CLOCK"},
	{regexp.MustCompile(`(?m)^\w+day, \d+ \w+ \d{4}, UTC$`), "DAY"},
	{regexp.MustCompile(`\b([0-9a-f]{40}|[0-9a-f]{10})\b`), "COMMIT"},
	{regexp.MustCompile(`[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`(\d+m)?\d+(\.\d+)?(µs|ms|s)\b|duration_seconds = [\d.]+`), "DURATION"},
	{regexp.MustCompile(`\d+(\.\d+)? %`), "SHARE"},
}
