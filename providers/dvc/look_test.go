package dvc_test

import (
	gomd5 "crypto/md5"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func md5(text string) string {
	sum := gomd5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestRemoteStatusOfAll(t *testing.T) {
	r := newRoom(t)
	before := r.world()
	got := done(t, r.Probe("remote_status", nil))
	equal(t, before, r.world())
	none := map[string]any{"objects": 0, "bytes": 0, "files": []any{}}
	all := got["all"].(map[string]any)
	equal(t, map[string]any{
		"ok": true, "summary": "minio has all 9 objects, 313 B", "remote": "minio", "url": r.minio, "commit": "", "outputs": 5, "elsewhere": 0,
		"unrecorded": []any{}, "all": all, "present": all, "to_push": none, "to_fetch": none, "lost": none, "damaged": none, "in_workspace": none,
	}, got)
	equal(t, []any{9, 313}, pick(all, "objects", "bytes"))
}

// Each object is where it is, and the sizes of those that are gone are known by
// what the others leave of their folder.
func TestRemoteStatusSortsOut(t *testing.T) {
	r := newRoom(t)
	lose(t, r.minio, r.raw)                                                    // to push
	lose(t, r.cache(), md5("a\n"))                                             // to fetch
	lose(t, r.cache(), r.one)                                                  // lost
	lose(t, r.minio, r.one)                                                    //
	if err := os.Truncate(object(r.minio, md5("raw\nraw\n")), 3); err != nil { // damaged
		t.Fatal(err)
	}
	got := done(t, r.Probe("remote_status", map[string]any{"remote": "minio"}))
	equal(t, []int{9, 5, 1, 1, 1, 1, 1}, n(got, "all", "present", "to_push", "to_fetch", "lost", "damaged", "in_workspace"))
	amount := func(objects, bytes int, file string) map[string]any {
		return map[string]any{"objects": objects, "bytes": bytes, "files": []any{file}}
	}
	equal(t, amount(1, 4, "data/raw.csv"), got["to_push"])
	equal(t, amount(1, 2, "part_a.txt"), got["to_fetch"])
	equal(t, amount(1, 9, "data/dir/1.txt"), got["lost"])
	equal(t, amount(1, 8, "model.bin"), got["damaged"])
	equal(t, amount(1, 9, "data/dir/1.txt"), got["in_workspace"])
	equal(t, "minio: 1 object lost (9 B), 1 object damaged (8 B), 1 object to push (4 B), 1 object to fetch (2 B), of 9 objects; 1 of the lost ones lie in the workspace", got["summary"])
	equal(t, false, got["ok"])

	// The backup has all.
	got = done(t, r.Probe("remote_status", map[string]any{"remote": "s3_backup"}))
	equal(t, []any{true, "s3_backup has all 9 objects, 313 B"}, pick(got, "ok", "summary"))

	// Without its list nobody knows what a folder consisted of.
	lose(t, r.cache(), r.list)
	lose(t, r.minio, r.list)
	got = done(t, r.Probe("remote_status", nil))
	equal(t, 5, n(got, "lost")[0])
}

// Any git revision can be asked for, without checking it out.
func TestRemoteStatusOfARevision(t *testing.T) {
	r := newRoom(t)
	r.write("data/raw.csv", "second\n")
	r.sh("dvc repro -q && dvc commit -q -f && git commit -qam second && git tag second && git rm -q data/dir.dvc && git commit -qm third")
	now := done(t, r.Probe("remote_status", nil))
	equal(t, []any{4, false}, pick(now, "outputs", "ok"))
	equal(t, []int{4, 2, 2}, n(now, "all", "present", "to_push"))
	first := done(t, r.Probe("remote_status", map[string]any{"rev": "main~2"}))
	equal(t, []any{true, 5, "minio has all 9 objects, 313 B"}, pick(first, "ok", "outputs", "summary"))
	equal(t, strings.TrimSpace(r.sh("git rev-parse main~2")), first["commit"])
	second := done(t, r.Probe("remote_status", map[string]any{"rev": "second"}))
	equal(t, []int{9, 7, 2}, n(second, "all", "present", "to_push"))
	fails(t, r.Probe("remote_status", map[string]any{"rev": "none"}), schema.FailedClean, "no_such_revision")
	fails(t, r.Probe("remote_status", map[string]any{"rev": "--all"}), schema.FailedClean, "invalid_argument")
}

// What DVC says of the cloud is what this provider says, where it looks at all.
func TestSameAnswerAsDVC(t *testing.T) {
	r := newRoom(t)
	same := func(what string) {
		t.Helper()
		out := r.sh("dvc status --cloud --remote minio --json 2>/dev/null")
		var theirs map[string]string
		if err := json.Unmarshal([]byte(out), &theirs); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got := done(t, r.Probe("remote_status", map[string]any{"remote": "minio"}))
		ours := map[string]string{}
		for amount, word := range map[string]string{"to_push": "new", "to_fetch": "deleted", "lost": "missing"} {
			for _, file := range got[amount].(map[string]any)["files"].([]any) {
				ours[file.(string)] = word
			}
		}
		if !t.Run(what, func(t *testing.T) { equal(t, theirs, ours) }) {
			t.Log(got["summary"])
		}
	}
	same("all there")
	lose(t, r.minio, r.list, r.one, r.raw)
	same("a folder and a file to push")
	lose(t, r.cache(), md5("a\n"), md5("number 2\n"))
	same("files to fetch")
	lose(t, r.cache(), r.one)
	same("a file lost")
	r.sh("cd .. && rm -r minio && mkdir minio")
	same("an empty remote")
}

// The hazards, with the real DVC beside.

func TestLostObjectsAreOnlyAWarningToDVC(t *testing.T) {
	r := newRoom(t)
	r.sh("cd .. && rm -r minio && mkdir minio")
	lose(t, r.cache(), r.one, r.raw)
	if said, err := shell(r.repo, "dvc push -r minio"); err != nil || !strings.Contains(said, "WARNING") {
		t.Errorf("dvc push takes it for a failure: %v\n%s", err, said)
	}
	got := done(t, r.Probe("remote_status", nil))
	equal(t, []any{false, 2}, []any{got["ok"], n(got, "lost")[0]})
	before := r.world()
	refused(t, r.Preview("push", nil), "objects_lost", "2 objects are, 13 B, neither in the cache nor in minio: data/raw.csv, data/dir/1.txt")
	fails(t, r.Act("push", nil), schema.FailedClean, "objects_lost", "another remote")
	fails(t, r.Act("pull", nil), schema.FailedClean, "objects_lost")
	equal(t, before, r.world())
	// What there is can be pushed all the same, and the backup brings the rest.
	pushed := done(t, r.Act("push", map[string]any{"allow_lost": true}))
	equal(t, []any{0, 2, 1}, pick(pushed, "objects", "lost", "held_back")) // DVC has done it all
	pulled := done(t, r.Act("pull", map[string]any{"remote": "s3_backup"}))
	equal(t, 2, pulled["objects"])
	done(t, r.Act("push", nil))
	equal(t, true, done(t, r.Probe("remote_status", nil))["ok"])
}

func TestSurvivingListHidesMissingFiles(t *testing.T) {
	r := newRoom(t)
	lose(t, r.minio, r.one, md5("below\n"))
	if said, err := shell(r.repo, "dvc push -r minio && dvc status -c -r minio"); err != nil || !strings.Contains(said, "up to date") || !strings.Contains(said, "in sync") {
		t.Errorf("DVC sees what is missing: %v\n%s", err, said)
	}
	got := done(t, r.Probe("remote_status", nil))
	equal(t, []any{false, 2}, []any{got["ok"], n(got, "to_push")[0]})
	refused(t, r.Preview("push", nil), "incomplete_directory", "2 files are missing", "set repair")
	equal(t, "repair", fails(t, r.Act("push", nil), schema.FailedClean, "incomplete_directory").Argument)
	repair := map[string]any{"repair": true}
	d := r.Preview("push", repair)
	equal(t, schema.Impact{"objects": 2, "bytes": 15}, d.Impact)
	fails(t, r.Act("push", repair, sdktest.Limit("bytes", 14)), schema.FailedClean, "limit_exceeded")
	equal(t, []any{2, 15, 2}, pick(done(t, r.Act("push", repair)), "objects", "bytes", "repaired"))
	equal(t, true, done(t, r.Probe("remote_status", nil))["ok"])
	// A clone can be made whole again, by the real DVC.
	r.sh("git clone -q . ../clone && cd ../clone && dvc pull -q -r minio && cmp data/dir/1.txt ../repo/data/dir/1.txt")

	// A damaged object there is put right too; a damaged one here is not spread.
	if err := os.Truncate(object(r.minio, r.raw), 1); err != nil {
		t.Fatal(err)
	}
	fails(t, r.Act("push", nil), schema.FailedClean, "incomplete_directory")
	done(t, r.Act("push", repair))
	equal(t, true, done(t, r.Probe("remote_status", nil))["ok"])
	lose(t, r.minio, r.one)
	if err := os.Chmod(object(r.cache(), r.one), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(object(r.cache(), r.one), []byte("something"), 0o644); err != nil {
		t.Fatal(err)
	}
	fails(t, r.Act("push", repair), schema.FailedClean, "damaged_cache", "data/dir/1.txt")
}

func TestCheckoutBeforeThePull(t *testing.T) {
	r := newRoom(t)
	lose(t, r.cache(), md5("number 2\n"))
	r.write("data/dir/1.txt", "precious\n")
	r.sh("rm data/dir/2.txt && cp -r . ../theirs")
	if said, err := shell(filepath.Join(r.dir, "theirs"), "dvc checkout --force"); err == nil {
		t.Errorf("DVC checks out what it does not have:\n%s", said)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "theirs", "data", "dir")); err == nil {
		t.Error("DVC does not delete the folder any more")
	}
	refused(t, r.Preview("checkout", map[string]any{"force": true}), "cache_missing", "data/dir/2.txt", "dvc.pull")
	fails(t, r.Act("checkout", map[string]any{"force": true}), schema.FailedClean, "cache_missing")
	equal(t, "precious\n", r.read("data/dir/1.txt"))
	done(t, r.Act("fetch", nil))
	done(t, r.Act("checkout", map[string]any{"force": true}))
	equal(t, "number 1\n", r.read("data/dir/1.txt"))
}

func TestOneCommandAtATime(t *testing.T) {
	r := newRoom(t)
	equal(t, []any{true, false, 0}, pick(done(t, r.Probe("lock_held", nil)), "ok", "held", "pid"))
	lock, err := os.OpenFile(filepath.Join(r.repo, ".dvc", "tmp", "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	held := done(t, r.Probe("lock_held", nil))
	equal(t, []any{false, true}, pick(held, "ok", "held"))
	lose(t, r.minio, r.raw)
	lose(t, r.cache(), md5("a\n"))
	before := r.world()
	fails(t, r.Probe("status", nil), schema.FailedClean, "lock_held")
	for action, args := range map[string]map[string]any{"push": nil, "fetch": nil, "pull": nil, "checkout": nil, "repro": nil, "gc": {"keep": "workspace"}} {
		f := fails(t, r.Act(action, args), schema.FailedClean, "lock_held", "dvc.lock_held")
		equal(t, true, f.Retryable)
	}
	equal(t, before, r.world())
	equal(t, false, done(t, r.Probe("remote_status", nil))["ok"]) // takes no lock
}

func TestRemotes(t *testing.T) {
	r := newRoom(t)
	r.sh(`cat >> .dvc/config <<'E'
['remote "cloud"']
    url = s3://bucket/path
    endpointurl = http://ana:hunter2@127.0.0.1:9000
E`)
	equal(t, map[string]any{
		"ok": true, "summary": "3 remotes: cloud, minio, s3_backup; minio is the default", "default": "minio",
		"remotes": []any{
			map[string]any{"name": "cloud", "url": "s3://bucket/path", "kind": "s3", "endpoint": "http://127.0.0.1:9000"},
			map[string]any{"name": "minio", "url": r.minio, "kind": "folder", "endpoint": ""},
			map[string]any{"name": "s3_backup", "url": r.backup, "kind": "folder", "endpoint": ""},
		},
	}, done(t, r.Probe("remotes", nil)))
	fails(t, r.Probe("remote_status", map[string]any{"remote": "none"}), schema.FailedClean, "remote_missing", "it has cloud, minio, s3_backup")
	r.write(".dvc/config", "")
	equal(t, false, done(t, r.Probe("remotes", nil))["ok"])
	fails(t, r.Probe("remote_status", nil), schema.FailedClean, "remote_missing")
	r.write(".dvc/config", "[core\n")
	fails(t, r.Probe("remotes", nil), schema.FailedClean, "invalid_config", "line 1")
}

func TestFileHash(t *testing.T) {
	r := newRoom(t)
	got := done(t, r.Probe("file_hash", map[string]any{"path": "data/raw.csv"}), "sha256")
	equal(t, map[string]any{"ok": true, "summary": "data/raw.csv (4 B) is as it should be", "exists": true, "md5": r.raw, "recorded": r.raw, "size": 4}, got)
	got = done(t, r.Probe("file_hash", map[string]any{"path": "data/dir/1.txt"}))
	equal(t, []any{true, r.one}, pick(got, "ok", "recorded"))
	r.write("data/dir/1.txt", "other\n")
	got = done(t, r.Probe("file_hash", map[string]any{"path": "data/dir/1.txt", "md5": r.one}))
	equal(t, []any{false, "data/dir/1.txt (6 B) is not the expected MD5, nor what DVC has on record"}, pick(got, "ok", "summary"))
	r.write("scratch", "x\n")
	sum := "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"
	equal(t, true, done(t, r.Probe("file_hash", map[string]any{"path": "scratch", "sha256": strings.ToUpper(sum)}))["ok"])
	equal(t, false, done(t, r.Probe("file_hash", map[string]any{"path": "scratch"}))["ok"])
	equal(t, []any{false, false}, pick(done(t, r.Probe("file_hash", map[string]any{"path": "none"})), "ok", "exists"))
	for argument, args := range map[string]map[string]any{"path": {"path": "../x"}, "sha256": {"path": "scratch", "sha256": "abc"}} {
		equal(t, argument, fails(t, r.Probe("file_hash", args), schema.FailedClean, "invalid_argument").Argument)
	}
}

func TestStatus(t *testing.T) {
	r := newRoom(t)
	equal(t, map[string]any{"ok": true, "summary": "5 outputs are as recorded", "outputs": 5, "unrecorded": []any{}, "stages": []any{}}, done(t, r.Probe("status", nil)))
	r.write("data/raw.csv", "changed\n")
	r.sh(`sed -i 's/foreach: .*/foreach: [a, b, c]/' dvc.yaml; printf '  new:\n    cmd: touch new.txt\n    outs: [new.txt]\n' >> dvc.yaml`)
	got := done(t, r.Probe("status", nil))
	equal(t, []any{"new.txt"}, got["unrecorded"])
	stages := map[string]any{}
	for _, s := range got["stages"].([]any) {
		stages[s.(map[string]any)["stage"].(string)] = s
	}
	equal(t, map[string]any{"stage": "train", "command": false, "deps": map[string]any{"data/raw.csv": "modified"}, "outputs": map[string]any{}}, stages["train"])
	equal(t, map[string]any{"stage": "data/raw.csv.dvc", "command": false, "deps": map[string]any{}, "outputs": map[string]any{"data/raw.csv": "modified"}}, stages["data/raw.csv.dvc"])
	equal(t, false, got["ok"])

	r.write("dvc.yaml", "stages: [")
	fails(t, r.Probe("status", nil), schema.FailedClean, "invalid_dvc_file", "dvc.yaml")
	r.sh("git rm -rq --cached . && rm -rf data/*.dvc dvc.*")
	equal(t, []any{false, "nothing is tracked"}, pick(done(t, r.Probe("status", nil)), "ok", "summary"))
	equal(t, []any{false, "nothing is tracked that goes to minio"}, pick(done(t, r.Probe("remote_status", nil)), "ok", "summary"))
}

func TestNotARepository(t *testing.T) {
	h := sdktest.New(t, dvc.Provider(), map[string]any{"repo": t.TempDir(), "dvc": program})
	for _, probe := range []string{"status", "remote_status", "remotes", "lock_held"} {
		equal(t, "repo", fails(t, h.Probe(probe, nil), schema.FailedClean, "no_repository").Argument)
	}
	r := newRoom(t)
	f := fails(t, r.harness(map[string]any{"dvc": "no-such-dvc"}).Probe("status", nil), schema.FailedClean, "cannot_start", "there is no program no-such-dvc")
	equal(t, "dvc", f.Argument)
	r.sh("mv ../minio ../away")
	fails(t, r.Probe("remote_status", nil), schema.FailedClean, "remote_not_found", "mount it")
	r.sh("dvc remote modify -q minio url ssh://host/path")
	fails(t, r.Probe("remote_status", nil), schema.FailedClean, "unsupported_remote")
}
