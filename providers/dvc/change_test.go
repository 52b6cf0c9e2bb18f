package dvc_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func url(path ...string) string {
	return "file://" + strings.ReplaceAll(filepath.Join(path...), " ", "%20")
}

func TestPush(t *testing.T) {
	r := newRoom(t)
	r.write("data/raw.csv", "second\n")
	r.sh("dvc repro -q && dvc commit -q -f")
	d := r.Preview("push", nil)
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"env", "-C", r.repo, program, "push"},
		Effects: []schema.Effect{{Resource: url(r.minio), Mode: schema.Write}, {Resource: url(r.repo, ".dvc/cache"), Mode: schema.Read}},
		Impact:  schema.Impact{"objects": 2, "bytes": 21}, Sample: []string{"data/raw.csv", "model.bin"}, Summary: "2 objects, 21 B, to push to minio",
	}, d)
	listed := r.sh("dvc status --cloud --quiet || dvc status --cloud --json") // DVC's own count
	equal(t, 2, strings.Count(listed, `"new"`))
	fails(t, r.Act("push", nil, sdktest.Limit("objects", 1)), schema.FailedClean, "limit_exceeded")
	equal(t, map[string]any{
		"ok": true, "summary": "pushed 2 objects, 21 B, to minio", "remote": "minio", "objects": 2, "bytes": 21, "repaired": 0, "lost": 0, "held_back": 0,
	}, done(t, r.Act("push", nil)))
	again := done(t, r.Act("push", nil))
	equal(t, []any{0, "minio has all that the cache holds"}, pick(again, "objects", "summary"))
}

// What goes to no remote, or to another one, is left alone.
func TestOutputsThatGoElsewhere(t *testing.T) {
	r := newRoom(t)
	r.sh(`sed -i 's/"part_${item}.txt"/{"part_${item}.txt": {push: false}}/' dvc.yaml; echo '  remote: s3_backup' >> data/raw.csv.dvc`)
	got := done(t, r.Probe("remote_status", nil))
	equal(t, []any{true, 2, 3}, pick(got, "ok", "outputs", "elsewhere"))
	got = done(t, r.Probe("remote_status", map[string]any{"remote": "s3_backup"}))
	equal(t, []any{3, 2}, pick(got, "outputs", "elsewhere"))
	r.sh("rm -rf .dvc/cache data/dir data/raw.csv model.bin part_*")
	equal(t, []any{true, 6, 5}, pick(done(t, r.Act("pull", nil)), "ok", "objects", "files"))
	if _, err := os.Stat(filepath.Join(r.repo, "part_a.txt")); err == nil {
		t.Error("part_a.txt is in no remote, and it came")
	}
}

func TestFetchAndPull(t *testing.T) {
	r := newRoom(t)
	r.sh("rm -rf .dvc/cache data/dir model.bin")
	r.write("part_a.txt", "mine\n")
	d := r.Preview("fetch", nil)
	equal(t, schema.Impact{"objects": 9, "bytes": 313}, d.Impact)
	equal(t, []any{9, 313}, pick(done(t, r.Act("fetch", nil)), "objects", "bytes"))
	equal(t, 0, done(t, r.Act("fetch", nil))["objects"])

	refused(t, r.Preview("pull", nil), "workspace_changed", "part_a.txt", "force")
	fails(t, r.Act("pull", nil), schema.FailedClean, "workspace_changed")
	fails(t, r.Act("checkout", nil), schema.FailedClean, "workspace_changed")
	force := map[string]any{"force": true}
	d = r.Preview("pull", force)
	equal(t, schema.Impact{"objects": 0, "bytes": 0, "files": 6, "changes": 1}, d.Impact)
	equal(t, true, d.Destructive)
	equal(t, "part_a.txt (changes are lost)", d.Sample[0])
	equal(t, schema.Effect{Resource: url(r.repo), Mode: schema.Delete}, d.Effects[0])
	equal(t, d.Impact, r.Preview("pull", force).Impact) // a look changes nothing
	fails(t, r.Act("pull", force, sdktest.Limit("changes", 0)), schema.FailedClean, "limit_exceeded")
	equal(t, "mine\n", r.read("part_a.txt"))
	got := done(t, r.Act("pull", force))
	equal(t, []any{0, 6, 1, []any{"part_a.txt"}}, pick(got, "objects", "files", "changes", "lost_changes"))
	equal(t, "a\n", r.read("part_a.txt"))
	equal(t, false, r.Preview("pull", force).Destructive) // nothing is lost any more
	equal(t, "cache and workspace have all that is recorded", done(t, r.Act("pull", nil))["summary"])

	if err := os.Truncate(object(r.minio, r.raw), 1); err != nil {
		t.Fatal(err)
	}
	lose(t, r.cache(), r.raw)
	fails(t, r.Act("pull", nil), schema.FailedClean, "objects_damaged", "data/raw.csv")
}

func TestCheckout(t *testing.T) {
	r := newRoom(t)
	r.write("data/raw.csv", "second\n")
	r.sh("dvc repro -q && dvc commit -q -f && git commit -qam second && git checkout -q main~1 -- dvc.lock data/raw.csv.dvc")
	d := r.Preview("checkout", nil)
	if d.Failure != nil {
		// DVC can tell a file with saved content from one with unsaved; this
		// provider takes no such risk.
		equal(t, "workspace_changed", d.Failure.Code)
	}
	force := map[string]any{"force": true}
	equal(t, schema.Impact{"files": 2, "changes": 2}, r.Preview("checkout", force).Impact)
	equal(t, []any{2, 2}, pick(done(t, r.Act("checkout", force)), "files", "changes"))
	equal(t, "raw\n", r.read("data/raw.csv"))
	equal(t, 0, done(t, r.Act("checkout", nil))["files"])
}

func TestRepro(t *testing.T) {
	r := newRoom(t)
	r.write("data/raw.csv", "second\n")
	r.sh("dvc commit -q -f data/raw.csv.dvc")
	safe := map[string]any{"effects": []any{}}
	before := r.world()
	d := r.Preview("repro", safe)
	equal(t, before, r.world())
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"env", "-C", r.repo, program, "repro"}, Effects: []schema.Effect{{Resource: url(r.repo), Mode: schema.Write}},
		Impact: schema.Impact{"stages": 1}, Sample: []string{"train"}, Summary: "1 stage to run: train",
	}, d)
	if d := r.Describe("repro", nil); !d.Undeclared || !d.Destructive {
		t.Errorf("of commands that nobody knows it says %+v", d)
	}
	fails(t, r.Act("repro", safe, sdktest.Limit("stages", 0)), schema.FailedClean, "limit_exceeded")
	old := r.sh("git show HEAD:dvc.lock")
	got := done(t, r.Act("repro", safe))
	after := md5("second\nsecond\n")
	equal(t, map[string]any{
		"ok": true, "summary": "ran 1 stage: train", "ran": []any{"train"}, "stages": 1,
		"recorded": map[string]any{"model.bin": after}, "recorded_before": map[string]any{"model.bin": md5("raw\nraw\n")},
	}, got)
	if !strings.Contains(old, md5("raw\nraw\n")) {
		t.Error("what was recorded before is not what git has")
	}
	equal(t, 0, done(t, r.Act("repro", safe))["stages"])
	fails(t, r.Act("repro", map[string]any{"targets": []string{"none"}}), schema.FailedClean, "no_such_target")
	r.sh(`sed -i 's/cat data.*/exit 3/' dvc.yaml`)
	fails(t, r.Act("repro", safe), schema.FailedPartial, "stage_failed", "train")
	r.sh(`sed -i 's/exit 3/false/' dvc.yaml`) // not even a command
	fails(t, r.Act("repro", safe), schema.FailedClean, "invalid_dvc_file", "'./dvc.yaml' validation failed")
	fails(t, r.Act("repro", map[string]any{"targets": []string{"--downstream"}}), schema.FailedClean, "invalid_argument")
}

func TestGC(t *testing.T) {
	r := newRoom(t)
	r.write("data/raw.csv", "second\n")
	r.sh("dvc repro -q && dvc commit -q -f && dvc push -q && git commit -qam second && git branch old main~1")
	// What a metric is holds the cache too, by itself.
	workspace := map[string]any{"keep": "workspace"}
	d := r.Preview("gc", workspace)
	equal(t, true, d.Destructive)
	dry := r.sh("dvc gc --workspace --force --dry 2>/dev/null | grep -c '^Removing '")
	equal(t, strings.TrimSpace(dry), strings.TrimSpace(r.sh("echo "+cty.NumberIntVal(d.Impact["objects"]).AsBigFloat().String())))
	fails(t, r.Act("gc", workspace, sdktest.Limit("objects", d.Impact["objects"]-1)), schema.FailedClean, "limit_exceeded")
	// Kept by a branch, the old version stays.
	branches := r.Preview("gc", map[string]any{"keep": "all_branches"}).Impact["objects"]
	equal(t, d.Impact["objects"]-2, branches)
	equal(t, branches, r.Preview("gc", map[string]any{"keep": "all_commits"}).Impact["objects"])
	equal(t, d.Impact["objects"], r.Preview("gc", map[string]any{"keep": "all_tags"}).Impact["objects"])

	with := map[string]any{"keep": "workspace", "remote": "minio"}
	both := r.Preview("gc", with)
	equal(t, d.Impact["objects"]+2, both.Impact["objects"])
	equal(t, []schema.Effect{{Resource: url(r.repo, ".dvc/cache"), Mode: schema.Delete}, {Resource: url(r.minio), Mode: schema.Delete}}, both.Effects)
	got := done(t, r.Act("gc", with))
	equal(t, []any{int(both.Impact["objects"]), int(both.Impact["bytes"]), 2}, pick(got, "objects", "bytes", "remote_objects"))
	equal(t, []any{true}, pick(done(t, r.Probe("remote_status", nil)), "ok"))
	equal(t, []int{2}, n(done(t, r.Probe("remote_status", map[string]any{"rev": "old"})), "lost"))
	equal(t, 0, done(t, r.Act("gc", with))["objects"])

	// Without the list of a folder DVC would delete its files.
	lose(t, r.cache(), r.list)
	fails(t, r.Act("gc", workspace), schema.FailedClean, "list_missing", "data/dir")
	r.sh("dvc config -q cache.dir ../../shared && dvc fetch -q")
	fails(t, r.Act("gc", workspace), schema.FailedClean, "shared_cache", "set shared")
	done(t, r.Act("gc", map[string]any{"keep": "workspace", "shared": true}))
	for _, args := range []map[string]any{{"keep": "nothing"}, {"keep": ""}} {
		fails(t, r.Act("gc", args), schema.FailedClean, "invalid_argument")
		refused(t, r.Describe("gc", args), "invalid_argument")
	}
}

// A run that is cancelled in the middle of a stage leaves no process behind.
func TestCancelled(t *testing.T) {
	r := newRoom(t)
	begun := filepath.Join(r.dir, "begun")
	r.sh("mkfifo '" + begun + "'")
	r.sh(`sed -i "s|cat data.*|echo \$\$ > ../begun; exec sleep 600|" dvc.yaml`)
	ctx, cancel := context.WithCancel(t.Context())
	pid := make(chan string, 1)
	go func() {
		text, _ := os.ReadFile(begun) // returns once the stage has begun
		pid <- strings.TrimSpace(string(text))
		cancel()
	}()
	fails(t, r.Act("repro", map[string]any{"effects": []any{}}, sdktest.Context(ctx)), schema.FailedPartial, "cancelled", "dvc was at repro")
	stat, err := os.ReadFile("/proc/" + <-pid + "/stat")
	if err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the stage still runs: %s", stat)
	}
	equal(t, false, done(t, r.Probe("lock_held", nil))["held"])
}

// A stage at work is seen although DVC lets its lock go meanwhile.
func TestRunningStageIsSeen(t *testing.T) {
	r := newRoom(t)
	r.sh("mkfifo ../begun ../end")
	r.sh(`sed -i 's|cat data.*|cat data/raw.csv > model.bin; echo > ../begun; cat ../end; touch score.txt|' dvc.yaml`)
	ended := make(chan schema.Outcome, 1)
	go func() { ended <- r.Act("repro", map[string]any{"effects": []any{}}) }()
	if _, err := os.ReadFile(filepath.Join(r.dir, "begun")); err != nil {
		t.Fatal(err)
	}
	got := done(t, r.Probe("lock_held", nil))
	if got["ok"] != false || !strings.Contains(got["summary"].(string), "model.bin") {
		t.Errorf("got %v", got)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "end"), []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	done(t, <-ended)
	equal(t, true, done(t, r.Probe("lock_held", nil))["ok"])
}

func TestDescribeLooksAtNothing(t *testing.T) {
	h := sdktest.New(t, dvc.Provider(), map[string]any{"repo": "/srv/app", "dvc": "/opt/dvc/bin/dvc"})
	equal(t, schema.Description{
		Settling: schema.Idempotent, Destructive: true, Command: []string{"env", "-C", "/srv/app", "/opt/dvc/bin/dvc", "pull", "--remote", "minio", "--force"},
		Summary: "pulls what is recorded into the workspace, losing what its files hold else",
		Effects: []schema.Effect{{Resource: "file:///srv/app", Mode: schema.Delete}, {Resource: "file:///srv/app/.dvc/remotes/minio", Mode: schema.Read}},
	}, h.Describe("pull", map[string]any{"remote": "minio", "force": true}))
}
