package runbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// around is what the reference's examples refer to, as far as they do not
// declare it themselves.
var around = []struct{ name, text string }{
	{`runbook "`, "runbook \"around\" {}\n"},
	{`variable "max_bar_age"`, "variable \"max_bar_age\" {\n  default = 600\n}\n"},
	{`variable "schema"`, "variable \"schema\" {\n  default = \"public\"\n}\n"},
	{`provider "http" {` + "\n  alias", "provider \"http\" {\n  alias = \"partner\"\n}\n"},
	{`check "redis"`, "check \"redis\" {\n  probe \"core.host\" {\n    ports = [6379]\n  }\n}\n"},
	{`check "disk"`, "check \"disk\" {\n  probe \"core.host\" {}\n}\n"},
	{`step "measure"`, "step \"measure\" {\n  probe \"core.host\" {}\n}\n"},
}

// acting is what a step does.
const acting = "action \"core.log\" {\nmessage = \"x\"\n}\n"

// whole makes a runbook of a text that stands in it.
func whole(text string) string {
	for _, a := range around {
		if !strings.Contains(text, a.name) {
			text = a.text + text
		}
	}
	return text
}

// within puts what stands in a block into that block, in the least runbook that
// holds it.
func within(b *runbook.Block, word, text string) string {
	label := ""
	if b.Label != "" {
		label = ` "example"`
	}
	more := ""
	switch b.Name {
	case "runbook file":
		return whole(text)
	case "variable":
		if word == "validation" {
			label = ` "max_bar_age"`
		}
	case "output":
		if word != "value" {
			more = "value = 1"
		}
	case "validation":
		if more = "condition = true"; word == "condition" {
			more = "message = \"no\""
		}
		text = "variable \"max_bar_age\" {\ndefault = 1\nvalidation {\n" + more + "\n" + text + "\n}\n}\n"
		return whole(text)
	case "call":
		if word != "runbook" {
			more = "runbook = \"./backup.hcl\""
		}
		return whole("step \"example\" {\ncall {\n" + more + "\n" + text + "\n}\n}\n")
	case "retry":
		if word != "attempts" {
			more = "attempts = 3"
		}
		return whole("step \"example\" {\naction \"core.log\" {\nmessage = \"x\"\n}\nretry {\n" + more + "\n" + text + "\n}\n}\n")
	case "approval":
		return whole("step \"example\" {\n" + acting + "approval {\n" + text + "\n}\n}\n")
	case "fallback":
		return whole("step \"example\" {\n" + acting + "fallback \"example\" {\n" + text + "\n}\n}\n")
	case "rollback":
		if more = acting; word == "action" {
			more = ""
		}
		return whole("step \"copy\" {\n" + acting + "rollback {\n" + acting + "}\n}\nstep \"example\" {\n" + acting + "rollback {\n" + more + text + "\n}\n}\n")
	case "notify", "escalation":
		if more = map[string]string{"notify": "on = [\"failed\"]\n", "escalation": "after = \"15m\"\n"}[b.Name]; word == "on" || word == "after" {
			more = ""
		}
		if word != "action" {
			more += acting
		}
	case "provider":
		label = ` "http"`
	case "step":
		if more = "action \"core.log\" {\nmessage = \"x\"\n}"; word == "action" || word == "probe" || word == "call" {
			more = ""
		}
		if word == "max_parallel" {
			more += "\nfor_each = [\"api\"]"
		}
	case "action", "probe":
		return whole(fmt.Sprintf("step \"example\" {\n%s \"http.%s\" {\n%s\n}\n}\n", b.Name, map[string]string{"action": "request", "probe": "get"}[b.Name], text))
	case "check", "precondition", "goal", "verify":
		if more = "probe \"core.host\" {}"; slices.Contains([]string{"check", "checks", "probe"}, word) {
			more = ""
		}
		text = fmt.Sprintf("%s \"example\" {\n%s\n%s\n}\n", b.Name, more, text)
		if word == "tolerate" {
			text = strings.Replace(text, more, more+"\nhold_for = \"1m\"", 1)
		}
		if b.Name == "check" {
			return whole(text)
		}
		return whole("step \"example\" {\naction \"core.log\" {\nmessage = \"x\"\n}\n" + text + "}\n")
	}
	return whole(fmt.Sprintf("%s%s {\n%s\n%s\n}\n", b.Name, label, more, text))
}

// each visits every block of the language once.
func each(visit func(*runbook.Block)) {
	seen := map[string]bool{}
	var walk func(*runbook.Block)
	walk = func(b *runbook.Block) {
		if seen[b.Name] {
			return
		}
		seen[b.Name] = true
		visit(b)
		for _, inner := range words(b, func(b *runbook.Block) []*runbook.Block { return b.Blocks }) {
			walk(inner)
		}
	}
	walk(runbook.Language())
}

// words gathers a block's own words and those that it shares.
func words[W any](b *runbook.Block, of func(*runbook.Block) []W) []W {
	all := slices.Clone(of(b))
	if b.Shares != nil {
		all = append(all, of(b.Shares)...)
	}
	return all
}

func arguments(b *runbook.Block) []runbook.Argument { return b.Arguments }

// Every word of the language has its sentence and an example, and every example
// loads, each default and each choice too.
func TestEveryWordIsDocumented(t *testing.T) {
	each(func(b *runbook.Block) {
		if b.Doc == "" || b.Shares != nil && b.Shares.Doc == "" {
			t.Errorf("%s is not documented", b.Name)
		}
		for _, inner := range b.Blocks {
			if !strings.HasPrefix(inner.Example, inner.Name+" ") {
				t.Errorf("the example of %s does not show one", inner.Name)
			}
			t.Run(b.Name+"/"+inner.Name, func(t *testing.T) { loads(t, within(b, inner.Name, inner.Example)) })
		}
		for _, a := range words(b, arguments) {
			t.Run(b.Name+"/"+a.Name, func(t *testing.T) {
				if a.Doc == "" || a.Type == "" || !strings.HasPrefix(a.Example, a.Name+" = ") {
					t.Errorf("%#v says too little", a)
				}
				loads(t, within(b, a.Name, a.Example))
				subject := a.Name == "check" || a.Name == "checks" // of an assertion, which needs one
				if missing := load(t, within(b, a.Name, "")); missing.HasErrors() != (a.Required || subject) {
					t.Errorf("required: %t, but without it: %v", a.Required, missing)
				}
				for _, choice := range a.Choices {
					loads(t, within(b, a.Name, fmt.Sprintf("%s = %q", a.Name, choice)))
				}
				if a.Default != "" && !strings.Contains(a.Default, " ") && a.Default != "any" && a.Default != "none" {
					loads(t, within(b, a.Name, a.Name+" = "+a.Default))
				}
			})
		}
	})
}

// Every name has a sentence and an example, which may stand in a verify, or in
// a retry's when.
func TestEveryNameIsDocumented(t *testing.T) {
	for _, n := range runbook.Names() {
		t.Run(n.Root, func(t *testing.T) {
			if n.Doc == "" || n.Where == "" || !strings.HasPrefix(n.Example, n.Root+".") {
				t.Errorf("%#v says too little", n)
			}
			place := "verify \"example\" {\nprobe \"core.host\" {}\nassert = null != " + n.Example + "\n}\n"
			switch {
			case n.Parts != nil && n.Parts[0] == "summary":
				loads(t, whole("notify \"example\" {\non = [\"failed\"]\naction \"core.log\" {\nmessage = "+n.Example+"\n}\n}\n"))
				return
			case n.Root == "error":
				place = "retry {\nattempts = 3\nwhen = null != " + n.Example + "\n}\n"
			}
			loads(t, whole("locals {\n  table = \"bars\"\n}\nstep \"example\" {\nfor_each = [\"api\"]\naction \"core.log\" {\nmessage = \"x\"\n}\n"+
				place+"}\n"))
		})
	}
}

// A default is what the decoder takes where nothing is said: writing it out
// changes nothing. Those of expressions, and of assertions, which a check may
// give, are filled in later.
func TestDefaultsAreThoseOfTheDecoder(t *testing.T) {
	options := []cmp.Option{
		cmpopts.IgnoreTypes(hcl.Range{}), cmpopts.IgnoreInterfaces(struct{ hcl.Expression }{}), cmpopts.IgnoreInterfaces(struct{ hcl.Body }{}),
		cmpopts.IgnoreFields(runbook.Runbook{}, "File", "Dir", "Sources", "Files"), cmpopts.IgnoreUnexported(runbook.Runbook{}),
		cmp.Comparer(func(a, b cty.Type) bool { return a == b }),
		cmp.Comparer(func(a, b cty.Value) bool { return a == b || a != cty.NilVal && b != cty.NilVal && a.RawEquals(b) }),
	}
	compared := 0
	each(func(b *runbook.Block) {
		for _, a := range b.Arguments {
			if a.Default == "" || strings.Contains(a.Default, " ") || a.Default == "any" || a.Default == "none" {
				continue
			}
			said := loadText(t, within(b, a.Name, a.Name+" = "+a.Default))
			unsaid := loadText(t, within(b, a.Name, ""))
			if diff := cmp.Diff(unsaid, said, options...); diff != "" {
				t.Errorf("%s = %s in %s is not the default (-unsaid +said):\n%s", a.Name, a.Default, b.Name, diff)
			}
			compared++
		}
	})
	if compared < 10 {
		t.Errorf("only %d defaults were compared", compared)
	}
}

// loads reports what keeps the text of a runbook from loading.
func loads(t *testing.T, source string) {
	t.Helper()
	for _, d := range load(t, source) {
		t.Errorf("%s in:\n%s", text(d), source)
	}
}

func load(t *testing.T, source string) hcl.Diagnostics {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.hcl")
	beside := map[string]string{"stack.hcl": "", "backup.hcl": "runbook \"backup\" {}\nvariable \"keep\" {\n  default = 3\n}\n", "test.hcl": source}
	for name, text := range beside {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, diags := runbook.Load(path)
	return diags
}
