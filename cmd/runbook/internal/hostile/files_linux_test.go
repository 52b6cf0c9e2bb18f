package hostile

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// said runs a command and returns its exit code and all that it says.
func (p program) said(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(p.path, args...)
	cmd.Dir, cmd.Env = dir, p.environment(dir)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// hidden are characters that must not stand in a file, with what a person is told.
var hidden = map[string]string{
	"\u202e":     "U+202E (RIGHT-TO-LEFT OVERRIDE)",
	"\u200b":     "U+200B (ZERO WIDTH SPACE)",
	"\U000e0041": "U+E0041 (TAG LATIN CAPITAL LETTER A)",
	"us\u0435r":  "U+0435 (CYRILLIC SMALL LETTER IE)",
}

// TestHiddenCharacters: in every kind of file that is loaded, what hides from a
// reader is an error, and is called by its name.
func TestHiddenCharacters(t *testing.T) {
	p := build(t)
	log := "step \"s\" {\n  action \"core.log\" { message = \"m\" }\n}\n"
	kinds := map[string]struct {
		file, text string // § stands for the character
		others     map[string]string
		commands   [][]string
	}{
		"runbook": {file: "x.hcl", text: header + "# §\n" + log, commands: [][]string{
			{"validate", "x.hcl"}, {"plan", "--offline", "x.hcl"}, {"graph", "x.hcl"}, {"test", "x_test.hcl"}, {"fmt", "--check", "x.hcl"},
		}, others: map[string]string{"x_test.hcl": ""}},
		"include":  {file: "y.hcl", text: "locals {\n  a = \"§\"\n}\n", others: map[string]string{"x.hcl": "runbook \"x\" {\n  include = [\"y.hcl\"]\n}\n" + log}, commands: [][]string{{"validate", "x.hcl"}}},
		"called":   {file: "y.hcl", text: "runbook \"y\" {}\n# §\n" + log, others: map[string]string{"x.hcl": header + "step \"c\" {\n  call {\n    runbook = \"y.hcl\"\n  }\n}\n"}, commands: [][]string{{"validate", "x.hcl"}}},
		"tests":    {file: "x_test.hcl", text: "# §\n", others: map[string]string{"x.hcl": header + log}, commands: [][]string{{"test", "x_test.hcl"}, {"fmt", "--check", "x_test.hcl"}}},
		"vars":     {file: "x.vars.hcl", text: "v = \"§\"\n", others: map[string]string{"x.hcl": header + "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n"}, commands: [][]string{{"plan", "--offline", "x.hcl"}, {"fmt", "--check", "x.vars.hcl"}}},
		"var file": {file: "other.hcl", text: "v = \"§\"\n", others: map[string]string{"x.hcl": header + "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n"}, commands: [][]string{{"plan", "--offline", "--var-file", "other.hcl", "x.hcl"}}},
		"environment": {file: "environments/e.vars.hcl", text: "v = \"§\"\n", others: map[string]string{"x.hcl": header + "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n"},
			commands: [][]string{{"plan", "--offline", "--environment", "e", "x.hcl"}}},
		"lock file": {file: "runbook.lock.hcl", text: "# §\n", others: map[string]string{".git/HEAD": "", "x.hcl": header + "step \"s\" {\n  action \"third.party\" {}\n}\n"}, commands: [][]string{{"validate", "x.hcl"}, {"providers", "list"}}},
		"template":  {file: "t.txt", text: "Hello §", others: map[string]string{"x.hcl": step(`templatefile("t.txt", {})`)}, commands: [][]string{{"plan", "--offline", "x.hcl"}}},
	}
	for kind, k := range kinds {
		for char, name := range hidden {
			files := maps.Clone(k.others)
			if files == nil {
				files = map[string]string{}
			}
			files[k.file] = strings.ReplaceAll(k.text, "§", char)
			dir := write(t, files)
			for _, args := range k.commands {
				if code, said := p.said(t, dir, args...); code != 1 && code != 3 || !strings.Contains(said, name) {
					t.Errorf("%s with %s: %q ends with %d and says\n%s", kind, name, args, code, said)
				}
			}
		}
	}
}

const secret = "what-nobody-may-read"

// TestPathsThatEscape: nothing that a runbook names is read outside the repository,
// or of what functions read, outside the runbook's folder.
func TestPathsThatEscape(t *testing.T) {
	p := build(t)
	outside := write(t, map[string]string{"secret.hcl": "locals {\n  a = " + secret + "\n}\n", "secret.txt": secret})
	repository := write(t, map[string]string{".git/HEAD": "", "beside.txt": secret, "runbooks/folder/kept": ""})
	dir := filepath.Join(repository, "runbooks")
	for link, to := range map[string]string{"link.hcl": outside + "/secret.hcl", "link.txt": outside + "/secret.txt", "out": outside, "up": "../..", "folder/beside.txt": "../../beside.txt"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := strings.Repeat("../", 40)
	escapes := map[string]string{} // runbook → what is said of it
	for _, path := range []string{up + outside[1:] + "/secret.hcl", "../.." + outside + "/secret.hcl", outside + "/secret.hcl", "link.hcl", "out/secret.hcl", "up/" + filepath.Base(outside) + "/secret.hcl", "pipe", "/dev/zero"} {
		said := "is absolute|lies outside|no file|not a regular file"
		escapes["runbook \"x\" {\n  include = [\""+path+"\"]\n}\n"] = said
		escapes[header+"step \"c\" {\n  call {\n    runbook = \""+path+"\"\n  }\n}\n"] = said
	}
	for _, path := range []string{up + outside[1:] + "/secret.txt", outside + "/secret.txt", "link.txt", "out/secret.txt", "../beside.txt", "folder/beside.txt", "folder/../../beside.txt", "/proc/self/environ", "/dev/zero", "pipe", "."} {
		said := "lies outside|escapes|not a regular file|no such file"
		escapes[step(`file("`+path+`")`)] = said
		escapes[step(`templatefile("`+path+`", {})`)] = said
	}
	for _, source := range slices.Sorted(maps.Keys(escapes)) {
		if err := os.WriteFile(filepath.Join(dir, "x.hcl"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		code, said := p.said(t, dir, "plan", "--offline", "x.hcl")
		told := slices.ContainsFunc(strings.Split(escapes[source], "|"), func(text string) bool { return strings.Contains(said, text) })
		if code != 1 && code != 3 || !told || strings.Contains(said, secret) {
			t.Errorf("exit code %d of\n%s%s", code, source, said)
		}
	}
}

// TestSwappedLink puts a link to the outside in the place of an included file and
// takes it away again, while the program reads it: it reads the file or refuses the
// link.
func TestSwappedLink(t *testing.T) {
	p := build(t)
	outside := write(t, map[string]string{"y.hcl": "locals {\n  a = " + secret + "\n}\n"})
	dir := write(t, map[string]string{"x.hcl": "runbook \"x\" {\n  include = [\"y.hcl\"]\n}\noutput \"o\" {\n  value = file(\"y.hcl\")\n}\n", "kept.hcl": "locals {\n  a = 1\n}\n"})
	if err := os.Symlink(filepath.Join(outside, "y.hcl"), filepath.Join(dir, "link.hcl")); err != nil {
		t.Fatal(err)
	}
	stop, swapped := make(chan struct{}), make(chan error, 1)
	go func() {
		next := filepath.Join(dir, "next")
		for i := 0; ; i++ {
			select {
			case <-stop:
				swapped <- nil
				return
			default:
			}
			from := []string{"kept.hcl", "link.hcl"}[i%2]
			_ = os.Remove(next)                            // it is there still where a rename changed nothing
			err := os.Link(filepath.Join(dir, from), next) // of the link, not of what it leads to
			if err == nil {
				err = os.Rename(next, filepath.Join(dir, "y.hcl"))
			}
			if err != nil {
				swapped <- err
				return
			}
		}
	}()
	read, refused := 0, 0
	for range 60 {
		code, said := p.said(t, dir, "plan", "--offline", "x.hcl")
		if strings.Contains(said, secret) {
			t.Errorf("it read the outside:\n%s", said)
		}
		if code == 0 {
			read++
		} else {
			refused++
		}
	}
	close(stop)
	if err := <-swapped; err != nil {
		t.Fatal(err)
	}
	t.Logf("read the file %d times, refused the link %d times", read, refused)
}
