package git_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/git"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(git.Provider)
	os.Exit(m.Run())
}

// room is one test's bare remote, a clone of it that the provider looks after,
// and another that belongs to somebody else.
type room struct {
	*sdktest.Harness
	t                   *testing.T
	bare, here, theirs  string
	first, second, last string // the three commits of main
}

func newRoom(t *testing.T) *room {
	t.Helper()
	dir := t.TempDir()
	r := &room{t: t, bare: filepath.Join(dir, "remote.git"), here: filepath.Join(dir, "a work tree"), theirs: filepath.Join(dir, "theirs")}
	r.git(dir, "init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	r.git(dir, "clone", "--quiet", r.bare, r.theirs)
	r.git(r.theirs, "checkout", "--quiet", "-b", "main")
	r.write(r.theirs, "dvc.lock", "one\n")
	r.write(r.theirs, "app/main.py", "print(1)\n")
	r.first = r.save("first")
	r.git(r.theirs, "tag", "good-1")
	r.write(r.theirs, "dvc.lock", "two\n")
	r.write(r.theirs, "data.dvc", "md5: 2\n")
	r.second = r.save("second")
	r.write(r.theirs, "app/main.py", "print(3)\n")
	r.last = r.save("third")
	r.git(r.theirs, "push", "--quiet", "--tags", "origin", "main")
	r.git(dir, "clone", "--quiet", r.bare, r.here)
	r.Harness = r.harness(nil)
	return r
}

func (r *room) harness(config map[string]any) *sdktest.Harness {
	r.t.Helper()
	given := map[string]any{"repo": r.here, "author_name": "Ana", "author_email": "ana@example.com"}
	for name, value := range config {
		given[name] = value
	}
	return sdktest.New(r.t, git.Provider(), given)
}

// git is git as somebody else would run it.
func (r *room) git(dir string, args ...string) string {
	r.t.Helper()
	return run(r.t, dir, args...)
}

func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Else", "GIT_AUTHOR_EMAIL=else@example.com", "GIT_COMMITTER_NAME=Else", "GIT_COMMITTER_EMAIL=else@example.com")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, said)
	}
	return strings.TrimSpace(string(said))
}

func (r *room) write(dir, name, text string) {
	r.t.Helper()
	write(r.t, dir, name, text)
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *room) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.here, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// save commits all that is in the other's work tree.
func (r *room) save(message string) string {
	r.t.Helper()
	r.git(r.theirs, "add", "--all")
	r.git(r.theirs, "commit", "--quiet", "-m", message)
	return r.git(r.theirs, "rev-parse", "HEAD")
}

// elsewhere is a commit that somebody else pushes.
func (r *room) elsewhere(name, text string) string {
	r.t.Helper()
	r.write(r.theirs, name, text)
	commit := r.save("change " + name)
	r.git(r.theirs, "push", "--quiet", "origin", "HEAD")
	return commit
}

func (r *room) head() string { return r.git(r.here, "rev-parse", "HEAD") }

// snapshot is everything that the work tree and its repository hold.
func (r *room) snapshot() map[string]string {
	r.t.Helper()
	held := map[string]string{}
	for _, root := range []string{r.here, r.bare} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			sum := sha256.Sum256(text)
			held[path] = hex.EncodeToString(sum[:8])
			return err
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return held
}

// done is the result of an outcome that must be done; those fields are taken
// out.
func done(t *testing.T, outcome schema.Outcome, without ...string) map[string]any {
	t.Helper()
	if outcome.State != schema.Done {
		t.Fatalf("state %s: %v", outcome.State, outcome.Failure)
	}
	result := sdktest.Go(t, outcome.Result).(map[string]any)
	for _, name := range without {
		if _, ok := result[name]; !ok {
			t.Errorf("the result has no %s", name)
		}
		delete(result, name)
	}
	return result
}

// fails checks how an operation failed and hands out why.
func fails(t *testing.T, outcome schema.Outcome, state schema.State, code string, parts ...string) *schema.Failure {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	if outcome.State != state || outcome.Failure.Code != code {
		t.Fatalf("%s %s, want %s %s: %v", outcome.State, outcome.Failure.Code, state, code, outcome.Failure)
	}
	return says(t, outcome.Failure, parts...)
}

// refused checks the failure of a preview or a description.
func refused(t *testing.T, d schema.Description, code string, parts ...string) {
	t.Helper()
	if d.Failure == nil || d.Failure.Code != code {
		t.Fatalf("failure %v, want %s", d.Failure, code)
	}
	says(t, d.Failure, parts...)
}

func says(t *testing.T, f *schema.Failure, parts ...string) *schema.Failure {
	t.Helper()
	if f.Remedy == "" && f.Code != "cancelled" && f.Code != "invalid_argument" && f.Code != "git_error" {
		t.Errorf("%s has no remedy: %s", f.Code, f.Message)
	}
	for _, part := range parts {
		if !strings.Contains(f.Error(), part) {
			t.Errorf("the failure %q lacks %q", f.Error(), part)
		}
	}
	return f
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// children are this process's own, but for threads' lists that are gone.
func children(t *testing.T) string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, list := range lists {
		if text, err := os.ReadFile(list); err == nil {
			all = append(all, strings.Fields(string(text))...)
		}
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

// url names a folder as effects do.
func url(path string) string { return (&neturl.URL{Scheme: "file", Path: path}).String() }
