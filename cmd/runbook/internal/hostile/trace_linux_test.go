package hostile

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// traced is what a runbook is that has something of everything which would start a
// process if it were looked at or run: bundled providers, and one of somebody else.
var traced = map[string]string{
	".git/HEAD": "",
	"x.hcl": `runbook "x" {
  include = ["shared.hcl"]
}
variable "root" {
  default = "/nowhere"
}
provider "witness" {
  root = var.root
}
step "looks" {
  when = check.database.holds
  precondition "seen" {
    probe "witness.seen" { name = "a" }
  }
  action "exec.run" {
    argv = ["touch", "started"]
  }
  goal "page" {
    probe "http.get" { url = "http://127.0.0.1:9/" }
  }
}
step "foreign" {
  action "witness.keyed" { name = file("name.txt") }
}
step "called" {
  call {
    runbook = "called.hcl"
  }
}
`,
	"name.txt": "b",
	"called.hcl": `runbook "called" {}
step "one" {
  for_each = ["k"]
  action "core.log" { message = each.key }
}
`,
	"shared.hcl": `check "database" {
  probe "postgres.ready" {}
}
provider "postgres" {
  host     = "127.0.0.1"
  port     = 9
  database = "x"
  user     = "x"
}
`,
	"x_test.hcl": `mock "check.database" { holds = true }
mock "witness.seen" {
  returns = { ok = true }
}
mock "witness.keyed" {}
mock "exec.run" {}
mock "core.log" {}
mock "http.get" {
  returns = { ok = true }
}
test "t" {
  approve = [step.looks]
  expect {
    outcome = "succeeded"
  }
}
`,
}

// quiet are the commands that start no process, if this version has them.
var quiet = []struct {
	args []string
	ends string // exit codes
}{
	{[]string{"validate", "x.hcl"}, "0"},
	{[]string{"fmt", "--check", "x.hcl"}, "0"},
	{[]string{"lint", "x.hcl"}, "01"},
	{[]string{"lint", "--format", "sarif", "."}, "01"},
	{[]string{"validate", "."}, "0"},
	{[]string{"diff", "called.hcl", "x.hcl"}, "01"},
	{[]string{"test", "x_test.hcl"}, "0"},
	{[]string{"test", "--exhaustive", "x_test.hcl"}, "01"},
	{[]string{"docs", "x.hcl"}, "0"},
	{[]string{"shell", "x.hcl"}, "01"},
	{[]string{"graph", "x.hcl"}, "0"},
	{[]string{"graph", "--plan", "--offline", "x.hcl"}, "0"},
	{[]string{"plan", "--offline", "x.hcl"}, "0"},
	{[]string{"plan", "--offline", "--json", "x.hcl"}, "0"},
	{[]string{"providers", "list"}, "0"},
	{[]string{"providers", "show", "witness"}, "0"},
	{[]string{"providers", "show", "postgres"}, "0"},
	{[]string{"providers", "schema", "--json"}, "0"},
}

// TestWhatRunsNoProbeStartsNoProcess traces the system calls of the real program:
// it executes nothing after itself, makes no process, opens no socket, and changes
// no file. A third party's provider lies on the path, pinned, so that its schema is
// known: it is not started either, and neither is what has taken its place since.
func TestWhatRunsNoProbeStartsNoProcess(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("%v: scripts/setup installs it", err)
	}
	p := build(t)
	dir := write(t, traced)
	provider := filepath.Join(dir, "providers", "runbook-provider-witness")
	if out, err := exec.Command("go", "build", "-o", provider, "../crash/witness").CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v\n%s", err, out)
	}
	run := func(args ...string) trace { return p.trace(t, dir, args...) }
	if loud := run("providers", "lock", "witness"); loud.exit != 0 || len(loud.seen()) == 0 {
		t.Fatalf("the trace of what starts a provider shows nothing (exit code %d): %s", loud.exit, loud.out)
	}
	for _, pinned := range []bool{true, false} {
		if !pinned { // what is there now has another hash
			script := "#!/bin/sh\ntouch " + filepath.Join(dir, "started") + "\n"
			if err := os.WriteFile(provider, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		has, err := exec.Command(p.path, "help").Output()
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, command := range quiet {
			if !strings.Contains(string(has), "\n  "+command.args[0]+" ") {
				continue
			}
			checked++
			got := run(command.args...)
			if !strings.Contains(command.ends, string(rune('0'+got.exit))) {
				t.Errorf("%q: exit code %d\n%s", command.args, got.exit, got.out)
			}
			for _, call := range got.seen() {
				t.Errorf("%q: %s", command.args, call)
			}
		}
		if checked < 9 {
			t.Errorf("only %d commands were traced", checked)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
		t.Error("something of the runbook was run")
	}
}

// trace is what strace saw of one command.
type trace struct {
	exit  int
	out   string
	calls []string
}

func (p program) trace(t *testing.T, dir string, args ...string) trace {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", append([]string{"-f", "-qq", "-s", "200", "-o", file, "-e", "trace=%process,%network,%file", "-e", "signal=none", p.path}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(p.environment(dir), "RUNBOOK_PROVIDER_PATH="+filepath.Join(dir, "providers"))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	return trace{cmd.ProcessState.ExitCode(), string(out), strings.Split(strings.TrimSpace(string(text)), "\n")}
}

var (
	call      = regexp.MustCompile(`^\d+ +([a-z0-9_]+)\(`)
	harmless  = regexp.MustCompile(`^(exit|exit_group|wait4|waitid|pidfd_send_signal|kill|tgkill|access|faccessat2?|stat|lstat|newfstatat|statx|readlink|readlinkat|getcwd|chdir|fchdir|statfs|getxattr|lgetxattr)$`)
	writing   = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC`)
	processes = regexp.MustCompile(`^(execve|execveat|fork|vfork|clone|clone3)$`)
)

// seen are the system calls that start something, reach something, or change a
// file.
func (t trace) seen() []string {
	var found []string
	executed := false
	for _, line := range t.calls {
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue // the end of a call that was seen already, or of a process
		}
		switch name := m[1]; {
		case name == "execve" && !executed:
			executed = true // the program itself
		case strings.HasPrefix(name, "clone") && strings.Contains(line, "CLONE_THREAD"):
		case processes.MatchString(name):
			found = append(found, line)
		case strings.HasPrefix(name, "open"):
			if writing.MatchString(line) {
				found = append(found, line)
			}
		case !harmless.MatchString(name):
			found = append(found, line)
		}
	}
	return found
}
