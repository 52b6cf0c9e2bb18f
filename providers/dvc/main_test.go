package dvc_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var (
	program  string // the real dvc
	template string // a room, made by the real dvc, that each test gets a copy of
	server   *backendtest.MinIO
)

func TestMain(m *testing.M) {
	sdktest.Serve(dvc.Provider)
	backendtest.Main(m, backendtest.WithDVC(&program), backendtest.WithMinIO(&server, 1), withTemplate)
}

// withTemplate makes a repository with a folder, a file and a pipeline, all of it
// pushed to the two remotes, minio and s3_backup, which are folders here.
func withTemplate() (func(), error) {
	dir, err := os.MkdirTemp("", "dvcroom")
	if err != nil {
		return nil, err
	}
	template = dir
	script := `
set -eu
mkdir repo minio s3_backup && cd repo
git init -q -b main && git config user.name Else && git config user.email else@example.com
dvc init -q
mkdir -p data/dir/sub
for i in 1 2 3; do echo "number $i" > data/dir/$i.txt; done
echo below > data/dir/sub/s.txt
echo raw > data/raw.csv
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: cat data/raw.csv data/raw.csv > model.bin; wc -c < model.bin > score.txt
    deps: [data/raw.csv]
    outs: [model.bin]
    metrics:
      - score.txt: {cache: false}
  each:
    foreach: [a, b]
    do:
      cmd: echo ${item} > part_${item}.txt
      outs: ["part_${item}.txt"]
YAML
dvc add -q data/dir data/raw.csv
dvc repro -q
dvc remote add -q -d minio ../minio
dvc remote add -q s3_backup ../s3_backup
dvc push -q -r minio
dvc push -q -r s3_backup
printf 'data/dir\nscratch\n' > .git/info/exclude
git add -A && git commit -q -m first
`
	said, err := shell(dir, script)
	if err != nil {
		return nil, fmt.Errorf("make the template: %w\n%s", err, said)
	}
	return func() { _ = os.RemoveAll(dir) }, nil
}

// shell runs a script as somebody else would, with dvc in PATH.
func shell(dir, script string) (string, error) {
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "DVC_NO_ANALYTICS=1", "LC_ALL=C",
		"DVC_SITE_CACHE_DIR="+filepath.Join(template, "site"), "GIT_CONFIG_GLOBAL=/dev/null", "PYTHONDONTWRITEBYTECODE=1")
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// room is one test's copy of the template.
type room struct {
	*sdktest.Harness
	t              testing.TB
	dir            string // holds all the rest
	repo           string
	minio, backup  string
	list, one, raw string // objects: of data/dir, of data/dir/1.txt, of data/raw.csv
}

func newRoom(t testing.TB) *room {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a room")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, dir: dir, repo: filepath.Join(dir, "repo"), minio: filepath.Join(dir, "minio"), backup: filepath.Join(dir, "s3_backup")}
	r.list = r.hash("data/dir.dvc")
	r.one = md5("number 1\n")
	r.raw = md5("raw\n")
	r.Harness = r.harness(nil)
	return r
}

func (r *room) harness(config map[string]any) *sdktest.Harness {
	r.t.Helper()
	return sdktest.New(r.t, dvc.Provider(), r.config(config))
}

func (r *room) config(more map[string]any) map[string]any {
	given := map[string]any{"repo": r.repo, "dvc": program, "env": map[string]string{"DVC_SITE_CACHE_DIR": filepath.Join(r.dir, "site")}}
	for name, value := range more {
		given[name] = value
	}
	return given
}

// hash is the md5 that a .dvc file records.
func (r *room) hash(file string) string {
	r.t.Helper()
	for line := range strings.Lines(r.read(file)) {
		if _, value, ok := strings.Cut(line, "md5: "); ok {
			return strings.TrimSpace(value)
		}
	}
	r.t.Fatalf("%s records no md5", file)
	return ""
}

// sh is shell in the repository, which must succeed.
func (r *room) sh(script string) string {
	r.t.Helper()
	said, err := shell(r.repo, "set -e; "+script)
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", script, err, said)
	}
	return said
}

func (r *room) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.repo, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *room) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.repo, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		r.t.Fatal(err)
	}
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// lose removes an object from a cache or a remote; twice is once.
func lose(t testing.TB, root string, hashes ...string) {
	t.Helper()
	for _, hash := range hashes {
		if err := os.Remove(object(root, hash)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

func object(root, hash string) string { return filepath.Join(root, "files", "md5", hash[:2], hash[2:]) }

func (r *room) cache() string { return filepath.Join(r.repo, ".dvc", "cache") }

// held are all files below some folders, by their content's hash.
func held(t testing.TB, roots ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if name := entry.Name(); entry.IsDir() && (name == "tmp" || name == ".git" || name == "runs" || name == "site") {
				return fs.SkipDir
			}
			if entry.IsDir() {
				return nil
			}
			text, err := os.ReadFile(path)
			sum := sha256.Sum256(text)
			found[path] = hex.EncodeToString(sum[:8])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func (r *room) world() map[string]string { return held(r.t, r.dir) }

// done is the result of an outcome that must be done; those fields are taken
// out.
func done(t testing.TB, outcome schema.Outcome, without ...string) map[string]any {
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
func fails(t testing.TB, outcome schema.Outcome, state schema.State, code string, parts ...string) *schema.Failure {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	if outcome.State != state || outcome.Failure.Code != code {
		t.Fatalf("%s %s, want %s %s: %v", outcome.State, outcome.Failure.Code, state, code, outcome.Failure)
	}
	return says(t, outcome.Failure, parts...)
}

func refused(t testing.TB, d schema.Description, code string, parts ...string) {
	t.Helper()
	if d.Failure == nil || d.Failure.Code != code {
		t.Fatalf("failure %v, want %s", d.Failure, code)
	}
	says(t, d.Failure, parts...)
}

func says(t testing.TB, f *schema.Failure, parts ...string) *schema.Failure {
	t.Helper()
	if f.Remedy == "" && f.Argument == "" && f.Code != "cancelled" {
		t.Errorf("%s has neither remedy nor argument: %s", f.Code, f.Message)
	}
	for _, part := range parts {
		if !strings.Contains(f.Error(), part) {
			t.Errorf("the failure %q lacks %q", f.Error(), part)
		}
	}
	return f
}

func equal(t testing.TB, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func pick(result map[string]any, names ...string) []any {
	var values []any
	for _, name := range names {
		values = append(values, result[name])
	}
	return values
}

// n is how many objects an amount of a remote_status counts.
func n(result map[string]any, amounts ...string) []int {
	var found []int
	for _, name := range amounts {
		found = append(found, result[name].(map[string]any)["objects"].(int))
	}
	return found
}
