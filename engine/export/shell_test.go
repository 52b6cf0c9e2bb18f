package export_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/export"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/bundled"
)

// script is the break-glass script of a runbook.
func script(t testing.TB, path string) string {
	t.Helper()
	rb, diags := runbook.Load(path)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var given []string
	for name, v := range rb.Variables {
		if v.Reached && v.Default == cty.NilVal && !v.Sensitive {
			given = append(given, name+"=given")
		}
	}
	var b bytes.Buffer
	diags, err := export.WriteShell(t.Context(), &b, rb, bundled.New(), export.Inputs{Vars: given})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	return b.String()
}

// shipped are all runbooks of this repository.
func shipped(t testing.TB) []string {
	t.Helper()
	var files []string
	block := regexp.MustCompile(`(?m)^runbook "`)
	for _, root := range []string{"../../runbooks", "../../examples"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".hcl" || strings.HasSuffix(path, "_test.hcl") {
				return err
			}
			source, err := os.ReadFile(path)
			if block.Match(source) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 30 {
		t.Fatalf("only %d runbooks were found", len(files))
	}
	return files
}

// Every script that is written is one that bash reads and shellcheck finds nothing
// in.
func TestScriptsPassShellcheck(t *testing.T) {
	dir := t.TempDir()
	for i, file := range shipped(t) {
		path := filepath.Join(dir, fmt.Sprintf("%02d_%s.sh", i, strings.TrimSuffix(filepath.Base(file), ".hcl")))
		if err := os.WriteFile(path, []byte(script(t, file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passesShellcheck(t, dir)
}

func passesShellcheck(t *testing.T, dir string) {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(dir, "*.sh"))
	if err != nil || len(scripts) == 0 {
		t.Fatal("there is no script", err)
	}
	for _, path := range scripts {
		if out, err := exec.Command("bash", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("bash -n: %v\n%s", err, out)
		}
	}
	// Not -x: a script is one file.
	if out, err := exec.Command("shellcheck", scripts...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck (scripts/setup installs it): %v\n%s", err, out)
	}
}

// carryOut writes the script of a runbook into its folder and runs it, as somebody
// who is not at a terminal.
func carryOut(t *testing.T, dir, source string, env ...string) (code int, said string) {
	t.Helper()
	file := filepath.Join(dir, "x.hcl")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "x.sh")
	if err := os.WriteFile(path, []byte(script(t, file)), 0o600); err != nil {
		t.Fatal(err)
	}
	passesShellcheck(t, dir)
	cmd := exec.CommandContext(t.Context(), "bash", path)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// hostile is a text with everything in it that a shell could take for more.
const hostile = "a'b\"c $(touch pwned1) `touch pwned2` ${HOME} $HOME \\ ; touch pwned3 & | > pwned4 \n touch pwned5\n#\t!x * ~ \\(touch) %s"

func TestHostileTextIsNeverCode(t *testing.T) {
	dir := t.TempDir()
	in := func(text string) string { // as HCL writes it
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "${", "$${").Replace(text) + `"`
	}
	code, said := carryOut(t, dir, strings.ReplaceAll(`
runbook "x" {
  title       = HOSTILE
  description = HOSTILE
}
locals { text = HOSTILE }
check "c" {
  description = HOSTILE
  probe "exec.run" { argv = ["test", HOSTILE, "=", local.text] }
  message = HOSTILE
}
step "captured" {
  title = HOSTILE
  probe "exec.run" { argv = ["printf", "%s", HOSTILE] }
}
step "each" {
  for_each = [HOSTILE]
  when     = check.c.holds && step.captured.result.exit_code == 0
  precondition "p" {
    assert  = each.key == HOSTILE
    message = HOSTILE
  }
  action "exec.run" {
    script  = "printf %s \"$1\" >\"$0\""
    interpreter = ["bash", "-c"]
    effects = []
    env     = { TEXT = HOSTILE }
    stdin   = HOSTILE
  }
}
step "written" {
  title = HOSTILE
  action "exec.run" {
    argv    = ["bash", "-c", "printf %s \"$1\" >out_argv; printf %s \"$TEXT\" >out_env; cat >out_stdin", "_", local.text]
    effects = []
    env     = { TEXT = HOSTILE }
    stdin   = HOSTILE
  }
}
step "judged" {
  on_failure = "continue"
  precondition "never" {
    check   = check.c
    assert  = result.stdout == HOSTILE
    message = "${HOSTILE} and ${result.exit_code}"
  }
}
step "asked" {
  on_failure = "continue"
  depends_on = []
  approval { message = HOSTILE }
  action "exec.run" {
    argv    = ["touch", "pwned6"]
    effects = []
  }
  fallback "other" {
    action "core.manual" { message = HOSTILE }
  }
}
step "inside" {
  depends_on = []
  on_failure = "continue"
  action "exec.run" {
    script  = "echo ${step.captured.result.stdout}"
    effects = []
  }
}
output "o" { value = "${HOSTILE}${step.captured.result.stdout}" }
`, "HOSTILE", in(hostile)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*pwned*"))
	if err != nil || len(found) > 0 {
		t.Errorf("text became code: %v", found)
	}
	for _, name := range []string{"out_argv", "out_env", "out_stdin"} {
		if diff := cmp.Diff(hostile, contents(t, filepath.Join(dir, name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, want := range []string{
		"step.judged blocked: step.judged.precondition.never: a'b",
		"step.asked blocked: step.asked.approval wants a person",
		"step.inside blocked: step.inside.action, the argument script is not put into a command",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}

func TestSecretsStayInTheEnvironment(t *testing.T) {
	const secret = `s3cr"et'$(touch pwned)`
	dir := t.TempDir()
	code, said := carryOut(t, dir, `
runbook "x" {}
variable "token" {
  type      = string
  sensitive = true
  env       = "TOKEN"
}
step "env" {
  action "exec.run" {
    argv    = ["bash", "-c", "printf %s \"$GIVEN\" >given; env >environment"]
    env     = { GIVEN = var.token }
    effects = []
  }
}
step "judged" {
  precondition "length" { assert = length(var.token) == 22 }
}
step "argv" {
  on_failure = "continue"
  action "exec.run" {
    argv    = ["touch", var.token]
    effects = []
  }
}
`, "TOKEN="+secret)
	if code != 1 || !strings.Contains(said, "step.argv blocked: step.argv.action wants a person") {
		t.Errorf("exit code %d, want 1\n%s", code, said)
	}
	if !strings.Contains(said, "everybody on the machine could read token in its command line") {
		t.Errorf("it does not say why:\n%s", said)
	}
	if diff := cmp.Diff(secret, contents(t, filepath.Join(dir, "given"))); diff != "" {
		t.Errorf("what was given (-want +got):\n%s", diff)
	}
	for _, name := range []string{"x.sh"} {
		if strings.Contains(contents(t, filepath.Join(dir, name)), "s3cr") {
			t.Errorf("%s holds the secret", name)
		}
	}
	if strings.Contains(said, "s3cr") {
		t.Errorf("the secret is shown:\n%s", said)
	}
	if strings.Contains(contents(t, filepath.Join(dir, "environment")), "TOKEN=") {
		t.Error("a child inherits the secret's variable")
	}
}

func TestFailures(t *testing.T) {
	const act = `action "exec.run" {
    script  = "echo NAME >>acts; test ! -e fail_NAME"
    effects = []
  }`
	named := func(name string) string { return "\n" + strings.ReplaceAll(act, "NAME", name) + "\n" }
	tests := map[string]struct {
		source string
		fails  []string
		code   int
		acts   string
		says   string
	}{
		"all goes well": {
			source: `step "a" {` + named("a") + `}
step "b" {` + named("b") + `}`,
			acts: "a b", says: "\ndone\n",
		},
		"stop, and what always runs": {
			source: `step "a" {` + named("a") + `}
step "b" {` + named("b") + `}
step "c" {
always = true
` + named("c") + `}`,
			fails: []string{"a"}, code: 1, acts: "a c", says: "step.a failed: exit code 1",
		},
		"continue without what needs it": {
			source: `step "a" {
on_failure = "continue"
` + named("a") + `}
step "b" {
depends_on = [step.a]
` + named("b") + `}
step "c" {` + named("c") + `}`,
			fails: []string{"a"}, code: 1, acts: "a c", says: "not_run: it needs step.a",
		},
		"ignored": {
			source: `step "a" {
on_failure = "ignore"
` + named("a") + `}
step "b" {
depends_on = [step.a]
` + named("b") + `}`,
			fails: []string{"a"}, acts: "a b",
		},
		"fallback": {
			source: `step "a" {` + named("a") + `
fallback "other" {` + named("f") + `}
}`,
			fails: []string{"a"}, acts: "a f",
		},
		"taken back, the last first": {
			source: `step "a" {` + named("a") + `
rollback {` + named("back_a") + `}
}
step "b" {` + named("b") + `
rollback {` + named("back_b") + `}
}
step "c" {
on_failure = "rollback"
` + named("c") + `
rollback {` + named("back_c") + `}
}`,
			fails: []string{"c"}, code: 1, acts: "a b c back_c back_b back_a", says: "step.c failed",
		},
		"not behind a point of no return": {
			source: `step "a" {` + named("a") + `
rollback {` + named("back_a") + `}
}
step "b" {
point_of_no_return = true
` + named("b") + `
}
step "c" {
on_failure = "rollback"
` + named("c") + `
rollback {` + named("back_c") + `}
}`,
			fails: []string{"c"}, code: 1, acts: "a b c back_c",
		},
		"a roll ends with the first that fails": {
			source: `step "a" {
for_each     = ["x", "y"]
max_parallel = 1
on_failure   = "continue"
` + `action "exec.run" {
    script  = "echo ${each.key} >>acts; test ! -e fail_${each.key}"
    effects = []
  }
}
step "b" {` + named("b") + `}`,
			fails: []string{"x"}, code: 1, acts: "x b",
		},
		"what nobody says yes to": {
			source: `step "a" {
action "exec.run" {
  script = "echo a >>acts"
}
}`,
			code: 3, acts: "", says: "step.a blocked: step.a.action wants a person",
		},
		"a limit that nobody counts": {
			source: `step "a" {
limit = { rows = 3 }
` + named("a") + `}`,
			code: 3, says: "step.a.limit wants a person",
		},
		"a goal that is not reached": {
			source: `step "a" {` + named("a") + `
goal "g" {
  probe "exec.run" { argv = ["test", "-e", "never"] }
  message = "never is not there"
}
}`,
			code: 1, acts: "a", says: "step.a failed: step.a.goal.g: never is not there",
		},
		"what is captured is used": {
			source: `step "a" {
probe "exec.run" { argv = ["echo", "from a"] }
}
step "b" {
when = step.a.result.stdout == "from a"
action "exec.run" {
  argv    = ["bash", "-c", "echo \"$1\" >>acts", "_", step.a.result.stdout]
  effects = []
}
}
step "c" {
precondition "acted" { assert = try(step.b.result.exit_code, 1) == 0 && step.b.status == "done" }
}`,
			acts: "from a",
		},
		"retried where that is harmless": {
			source: `step "a" {
retry {
  attempts = 3
  delay    = "10ms"
}
action "exec.run" {
  script     = "echo a >>acts; test $(wc -l <acts) -ge 3"
  effects    = []
  idempotent = true
}
}`,
			acts: "a a a",
		},
		"skipped by a precondition": {
			source: `step "a" {
precondition "p" {
  probe "exec.run" { argv = ["false"] }
  otherwise = "skip"
}
` + named("a") + `}`,
			acts: "", says: "skipped: step.a.precondition.p",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range test.fails {
				if err := os.WriteFile(filepath.Join(dir, "fail_"+f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, said := carryOut(t, dir, `runbook "x" {}`+"\n"+test.source)
			acts := strings.Join(strings.FieldsFunc(contents(t, filepath.Join(dir, "acts")), func(r rune) bool { return r == '\n' }), " ")
			if code != test.code || acts != test.acts || !strings.Contains(said, test.says) {
				t.Errorf("exit code %d, want %d; acts %q, want %q; wanted %q in:\n%s", code, test.code, acts, test.acts, test.says, said)
			}
		})
	}
}
