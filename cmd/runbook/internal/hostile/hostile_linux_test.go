// Package hostile runs the real program on runbooks that are meant to keep it
// busy for hours, to take all memory, to flood a screen, or to have it read or
// start what it must not.
package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// program is the real binary, as its users have it.
type program struct{ path string }

// built builds the program once for all tests: not under the race detector, which
// would measure itself.
var built = sync.OnceValues(func() (program, error) {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return program{}, err
	}
	p := program{filepath.Join(dir, "runbook")}
	if out, err := exec.Command("go", "build", "-o", p.path, "../..").CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("build: %w\n%s", err, out)
	}
	return p, nil
})

func build(t *testing.T) program {
	t.Helper()
	p, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// environment is that of every command: nothing of who runs the tests.
func (program) environment(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8"}
}

// write makes a folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// commands are those that take a runbook which nobody vouches for.
var commands = []struct {
	name string
	args []string
}{
	{"validate", []string{"validate", "x.hcl"}},
	{"lint", []string{"lint", "x.hcl"}},
	{"plan", []string{"plan", "--offline", "x.hcl"}},
	{"test", []string{"test", "x_test.hcl"}},
	{"graph", []string{"graph", "x.hcl"}},
	{"docs", []string{"docs", "x.hcl"}},
	{"shell", []string{"shell", "x.hcl"}},
	{"fmt", []string{"fmt", "--check", "x.hcl"}},
}

const mostSaid = 128 << 10 // bytes of diagnostics

// TestBadPrograms: each command ends within its bounds, and says what is wrong.
func TestBadPrograms(t *testing.T) {
	p := build(t)
	for i, b := range programs() {
		t.Run(b.name, func(t *testing.T) {
			dir := write(t, b.files)
			for j, command := range commands {
				if large := len(b.files["x.hcl"]) > 1<<20; large && 0 < j && j < 7 && j-1 != i%6 {
					continue // they load it alike: one of the six will do
				}
				m := p.run(t, dir, command.args...)
				t.Logf("%-8s exit %d, %.2f s, %d MiB", command.name, m.Exit, m.Time.Seconds(), m.Memory>>20)
				said := string(m.errOut)
				if command.name == "plan" || command.name == "test" || command.name == "lint" {
					said += string(m.out)
				}
				switch {
				case m.Time > mostTime:
					t.Errorf("%s took %s", command.name, m.Time)
				case m.Memory > mostMemory:
					t.Errorf("%s took %d MiB", command.name, m.Memory>>20)
				case len(m.errOut) > mostSaid:
					t.Errorf("%s says %d bytes on stderr", command.name, len(m.errOut))
				}
				want, refused := b.says[command.name]
				allowed := []int{0, 1} // fmt --check, and tests of what cannot succeed
				if refused {
					allowed = []int{1}
					if command.name == "plan" {
						allowed = []int{1, 3}
					}
				}
				if !slices.Contains(allowed, m.Exit) {
					t.Errorf("%s: exit code %d%s", command.name, m.Exit, m.Signal)
				}
				if refused && !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("%s says nothing of %q:\n%.2000s", command.name, want, said)
				}
			}
		})
	}
}
