// Package canary puts secrets of many shapes through every door of the real
// program, and then looks for them in every byte that was written or printed.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shapes are what secrets look like, good and bad; each is made unlike all else
// by its number.
var shapes = []string{
	"plainword%02dabcdef", "UPPER%02dLOWERcase", "0%02d98765432101234", "with space %02d inside", "quote'%02d'single",
	`quote"%02d"double`, `back\slash\%02d\n`, "dollar$%02d${HOME}", "percent%%%02d%%41", "amp&%02d=x;y",
	"slash/%02d/path", "plus+%02d+sign=", "tab\t%02d\there", "uni\u00e4\u00f6\u00fc%02d\u00df", "emoji%02d\U0001f511key",
	"-dash%02d-first", "#hash%02d#tag", "tilde~%02d~`tick`", "pipe|%02d|&&true", "<tag>%02d</tag>",
	"[brack%02det]{brace}", "colon:%02d:@host", "star*%02d?glob", "comma,%02d,list", "eyJhbGciOi%02dJIUzI1NiJ9.e30",
	"line one %02d\nline two", "sk-live-%02d-4eC39HqLyjWDarjtT1zdp7dc", "aGVsbG8%02dd29ybGQ=", "deadbeef%02dcafebabe0123", "pa55%02dw0rd!",
}

func secrets() []string {
	all := make([]string, len(shapes))
	for i, shape := range shapes {
		all[i] = fmt.Sprintf(shape, i+10)
	}
	return all
}

// forms are the spellings under which a secret is looked for.
func forms(secret string) map[string]string {
	quoted, _ := json.Marshal(secret) // a string cannot fail
	all := map[string]string{
		"raw":    secret,
		"hex":    hex.EncodeToString([]byte(secret)),
		"HEX":    strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query":  url.QueryEscape(secret),
		"path":   url.PathEscape(secret),
		"json":   strings.Trim(string(quoted), `"`),
		"shell":  "'" + strings.ReplaceAll(secret, "'", `'\''`) + "'",
		"golang": strings.Trim(strconv.Quote(secret), `"`),
	}
	for offset := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, offset), secret...))
			// What the bytes before and after also decide is left out.
			from := []int{0, 2, 3}[offset]
			to := len(text)
			if (offset+len(secret))%3 != 0 {
				to--
			}
			all[fmt.Sprintf("%s at %d", name, offset)] = text[from:to]
		}
	}
	return all
}

// door is a way that a secret takes: into the runbook, and through it.
type door func(b *strings.Builder, n int)

var doors = []door{
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"exec.run\" {\n    argv    = [\"cat\"]\n    stdin   = var.s%d\n    effects = []\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"exec.run\" {\n    script  = <<-EOT\n      printf %%s \"$S\" | base64 -w0; echo; printf 'x%%s' \"$S\" | base64 -w0; echo; printf 'xy%%s' \"$S\" | base64 -w0; echo\n      printf %%s \"$S\" | od -An -tx1 | tr -d ' \\n' >&2; echo >&2; echo \"failed with $S\" >&2; exit 3\n    EOT\n    env     = { S = var.s%d }\n    effects = []\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  precondition \"echo\" {\n    probe \"http.get\" {\n      url   = \"${var.echo}/\"\n      query = { token = var.s%d }\n    }\n    assert  = length(result.body) < 3\n    message = \"it said ${result.body} to ${var.s%d}\"\n  }\n  action \"core.log\" {\n    message = \"unreached\"\n  }\n", n, n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  precondition \"closed\" {\n    probe \"http.get\" {\n      url   = \"http://127.0.0.1:1/\"\n      query = { token = var.s%d }\n    }\n  }\n  action \"core.log\" {\n    message = \"unreached\"\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"core.log\" {\n    message = \"logged ${var.s%d} and ${base64encode(var.s%d)}\"\n  }\n  verify \"never\" {\n    assert  = self.result.summary == var.s%d\n    message = \"not ${var.s%d}\"\n  }\n", n, n, n, n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"leaky.fail\" {\n    text = var.s%d\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"leaky.panic\" {\n    text = var.s%d\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  action \"leaky.die\" {\n    text = var.s%d\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  probe \"leaky.tell\" {\n    text = var.s%d\n  }\n", n)
	},
	func(b *strings.Builder, n int) {
		fmt.Fprintf(b, "  precondition \"login\" {\n    probe \"postgres.query\" {\n      sql    = \"SELECT $1\"\n      params = [var.s%d]\n    }\n  }\n  action \"core.log\" {\n    message = \"unreached\"\n  }\n", n)
	},
}

// write makes the runbook and the files that its secrets come from; what it
// returns is the program's environment.
func write(t *testing.T, dir, echo string) (environ []string) {
	t.Helper()
	var b, values strings.Builder
	b.WriteString("runbook \"canary\" {\n  on_failure = \"continue\"\n}\nvariable \"echo\" {}\n" +
		"provider \"postgres\" {\n  host     = \"127.0.0.1\"\n  port     = 1\n  database = \"x\"\n  user     = \"x\"\n  password = var.s29\n}\n" +
		"provider \"leaky\" {\n  token = var.s28\n}\n")
	for n, secret := range secrets() {
		from := ""
		switch n % 4 {
		case 0:
			from = fmt.Sprintf("  env       = \"CANARY_%d\"\n", n)
			environ = append(environ, fmt.Sprintf("CANARY_%d=%s", n, secret))
		case 1:
			from = fmt.Sprintf("  file      = \"secret%d\"\n", n)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("secret%d", n)), []byte(secret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		case 2:
			environ = append(environ, fmt.Sprintf("RUNBOOK_VAR_s%d=%s", n, secret))
		case 3:
			text := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(secret)
			fmt.Fprintf(&values, "s%d = \"%s\"\n", n, text)
		}
		fmt.Fprintf(&b, "variable \"s%d\" {\n  type      = string\n  sensitive = true\n%s}\n", n, from)
		fmt.Fprintf(&b, "step \"t%d\" {\n  depends_on = []\n", n)
		doors[n%len(doors)](&b, n)
		fmt.Fprintf(&b, "}\noutput \"o%d\" {\n  value     = { nested = [var.s%d] }\n  sensitive = %t\n}\n", n, n, n%2 == 0)
	}
	files := map[string]string{"canary.hcl": b.String(), "canary.vars.hcl": values.String(), ".git/HEAD": ""}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return append(environ, "RUNBOOK_VAR_echo="+echo)
}

// TestNoSecretGetsOut runs everything that prints or writes, with a run full of
// failures, and looks for each secret in each form.
func TestNoSecretGetsOut(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.URL.RawQuery, r.URL.Query().Get("token"), r.Header)
	}))
	defer echo.Close()
	tools, dir := t.TempDir(), t.TempDir()
	program := filepath.Join(tools, "runbook")
	for output, source := range map[string]string{program: "../..", filepath.Join(tools, "runbook-provider-leaky"): "./leaky"} {
		if out, err := exec.Command("go", "build", "-o", output, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	environ := append(write(t, dir, echo.URL), "PATH="+os.Getenv("PATH"), "HOME="+dir, "RUNBOOK_PROVIDER_PATH="+tools, "RUNBOOK_LOG=debug")
	found := map[string][]byte{}
	run := func(args ...string) {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = dir, environ
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop, watched := make(chan struct{}), make(chan map[string][]byte, 1)
		go func() { watched <- watch(cmd.Process.Pid, program, stop) }()
		err := cmd.Wait()
		close(stop)
		for where, text := range <-watched {
			found["process "+where+" of runbook "+strings.Join(args, " ")] = text
		}
		name := "runbook " + strings.Join(args, " ")
		found[name] = out.Bytes()
		t.Logf("%s: %v, %d bytes", name, err, out.Len())
		if out.Len() == 0 {
			t.Errorf("%s printed nothing", name)
		}
	}
	run("providers", "lock", "leaky")
	for _, args := range [][]string{
		{"validate"}, {"plan"}, {"plan", "--json"}, {"plan", "--format", "markdown"}, {"plan", "--out", "saved.plan"},
		{"apply", "--auto-approve", "--approve", "all"}, {"resume", "last"}, {"apply", "--auto-approve", "--approve", "all", "--json"},
		{"runs"}, {"runs", "--json"}, {"runs", "show", "last"}, {"runs", "show", "last", "--json"}, {"runs", "verify", "last"},
		{"graph", "--plan", "--format", "mermaid"}, {"locks"},
	} {
		run(args...)
		if args[0] == "resume" {
			run("locks", "release", "last")
		}
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "secret") || name == "canary.vars.hcl" {
			return err
		}
		text, err := os.ReadFile(path)
		found["file "+name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 25 || !bytes.Contains(found["runbook runs show last"], []byte("(sensitive)")) {
		t.Errorf("%d places, and what is sensitive is not told: too little to prove anything", len(found))
	}
	for n, secret := range secrets() {
		for form, text := range forms(secret) {
			for _, where := range slices.Sorted(maps.Keys(found)) {
				content := found[where]
				if at := bytes.Index(content, []byte(text)); at >= 0 {
					t.Errorf("secret %d (door %d) is %s in %s: …%q…", n, n%len(doors), form, where, content[max(0, at-60):min(len(content), at+len(text)+20)])
				}
			}
		}
	}
}

// watch notes what other users of the machine could read of the processes below
// one: their command lines, and the environments of the program's own.
func watch(pid int, program string, stop <-chan struct{}) map[string][]byte {
	seen := map[string][]byte{}
	own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	for {
		for _, p := range below(pid) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p)) // it may be gone
			if bytes.Equal(line, own) {
				continue // not yet another program
			}
			seen["arguments of "+strconv.Itoa(p)] = line
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p)); err == nil && strings.HasPrefix(exe, program) {
				environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p))
				seen["environment of "+strconv.Itoa(p)] = environ
			}
		}
		select {
		case <-stop:
			return seen
		case <-time.After(time.Millisecond):
		}
	}
}

// below lists the processes that a process has started, and they in turn.
func below(pid int) []int {
	var all []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(append(all, child), below(child)...)
			}
		}
	}
	return all
}
