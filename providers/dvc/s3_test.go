package dvc_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// overS3 makes the remote minio a bucket of the real MinIO, and keeps its key out
// of the repository.
func (r *room) overS3() string {
	r.t.Helper()
	bucket := server.Bucket(r.t)
	r.pointAt("s3://"+bucket+"/dvc storage", server.Port)
	r.Harness = r.harness(map[string]any{"credentials": key(server.AccessKey, server.SecretKey)})
	return bucket
}

func (r *room) pointAt(url string, port int) {
	r.t.Helper()
	r.write(".dvc/config", fmt.Sprintf("[core]\n    remote = minio\n['remote \"minio\"']\n    url = %s\n    endpointurl = http://127.0.0.1:%d\n['remote \"s3_backup\"']\n    url = ../../s3_backup\n", url, port))
	r.sh("git commit -qam 'Another remote'") // dvc data status reads the last commit's too
}

func key(access, secret string) map[string]any {
	return map[string]any{"minio": map[string]any{"access_key_id": access, "secret_access_key": secret}}
}

// bucketHolds are the names in a bucket, without what stands before them all.
func bucketHolds(t testing.TB, bucket string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for info := range server.Client(t).ListObjects(context.Background(), bucket, minio.ListObjectsOptions{Recursive: true}) {
		if info.Err != nil {
			t.Fatal(info.Err)
		}
		found[strings.TrimPrefix(info.Key, "dvc storage/files/md5/")] = info.Size
	}
	return found
}

func TestS3(t *testing.T) {
	r := newRoom(t)
	t.Setenv("TMPDIR", t.TempDir())
	bucket := r.overS3()
	got := done(t, r.Probe("remote_status", nil))
	equal(t, []int{9, 0, 9, 0}, n(got, "all", "present", "to_push", "lost"))
	d := r.Preview("push", nil)
	equal(t, schema.Impact{"objects": 9, "bytes": 313}, d.Impact)
	host, _ := os.Hostname()
	equal(t, schema.Effect{Resource: fmt.Sprintf("s3://%s:%d/%s/dvc%%20storage", strings.ToLower(host), server.Port, bucket), Mode: schema.Write}, d.Effects[0])
	equal(t, []any{9, 313, 0}, pick(done(t, r.Act("push", nil)), "objects", "bytes", "repaired"))
	equal(t, 9, len(bucketHolds(t, bucket)))
	got = done(t, r.Probe("remote_status", nil))
	equal(t, []any{true, "minio has all 9 objects, 313 B"}, pick(got, "ok", "summary"))

	// The list survives, and a file of it does not.
	client := server.Client(t)
	if err := client.RemoveObject(t.Context(), bucket, "dvc storage/files/md5/"+r.one[:2]+"/"+r.one[2:], minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	fails(t, r.Act("push", nil), schema.FailedClean, "incomplete_directory")
	equal(t, 1, done(t, r.Act("push", map[string]any{"repair": true}))["repaired"])
	equal(t, true, done(t, r.Probe("remote_status", nil))["ok"])

	// An empty cache and workspace are filled again.
	r.sh("rm -rf .dvc/cache data/dir data/raw.csv model.bin part_*")
	equal(t, []int{9, 0, 9}, n(done(t, r.Probe("remote_status", nil)), "all", "present", "to_fetch"))
	r.write("data/dir/extra.txt", "nobody has this\n")
	refused(t, r.Preview("pull", nil), "workspace_changed", "data/dir/extra.txt")
	if err := os.RemoveAll(r.repo + "/data/dir"); err != nil {
		t.Fatal(err)
	}
	// The list of the folder is in the remote alone, and its files count.
	equal(t, schema.Impact{"objects": 9, "bytes": 313, "files": 8, "changes": 0}, r.Preview("pull", nil).Impact)
	pulled := done(t, r.Act("pull", nil))
	equal(t, []any{9, 313, 8}, pick(pulled, "objects", "bytes", "files"))
	equal(t, "number 1\n", r.read("data/dir/1.txt"))
	equal(t, true, done(t, r.Probe("status", nil))["ok"])
	if left, err := os.ReadDir(os.TempDir()); err != nil {
		t.Fatal(err)
	} else {
		for _, entry := range left {
			if strings.HasPrefix(entry.Name(), "runbook-dvc-") {
				t.Errorf("a file with keys is left in %s", entry.Name())
			}
		}
	}
}

// More objects than are asked for one by one are listed, and no other is taken
// for one of them.
func TestS3OfMany(t *testing.T) {
	r := newRoom(t)
	bucket := r.overS3()
	r.sh("for i in $(seq 300); do echo many $i > data/dir/many$i.txt; done; dvc add -q data/dir")
	done(t, r.Act("push", nil))
	equal(t, []any{true, 309}, []any{done(t, r.Probe("remote_status", nil))["ok"], len(bucketHolds(t, bucket))})
	lost := md5("many 7\n")
	if err := server.Client(t).RemoveObject(t.Context(), bucket, "dvc storage/files/md5/"+lost[:2]+"/"+lost[2:], minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	got := done(t, r.Probe("remote_status", nil))
	equal(t, []int{309, 308, 1}, n(got, "all", "present", "to_push"))
	equal(t, []any{"data/dir/many7.txt"}, got["to_push"].(map[string]any)["files"])

	// However much is listed before folders are listed side by side.
	want := map[string]int64{}
	hashes := []string{lost}
	for i := 1; i <= 300; i++ {
		text := fmt.Sprintf("many %d\n", i)
		if hash := md5(text); hash != lost {
			hashes, want[hash] = append(hashes, hash), int64(len(text))
		}
	}
	for _, inTurn := range []int{1, 7, 150, 308, 309, 310} {
		sizes, err := dvc.ListedSizes(t.Context(), server.Client(t), bucket, "dvc storage/", hashes, inTurn)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, want, sizes)
	}
}

func TestS3Failures(t *testing.T) {
	r := newRoom(t)
	bucket := r.overS3()
	for name, test := range map[string]struct {
		url, secret string
		port        int
		code        string
	}{
		"wrong secret": {"s3://" + bucket, "not-the-secret", server.Port, "authentication_failed"},
		"no bucket":    {"s3://no-such-bucket", server.SecretKey, server.Port, "remote_not_found"},
		"refused":      {"s3://" + bucket, server.SecretKey, backendtest.Refused(t), "connection_refused"},
		"no answer":    {"s3://" + bucket, server.SecretKey, backendtest.Blackhole(t), "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			r.pointAt(test.url, test.port)
			h := r.harness(map[string]any{"credentials": key(server.AccessKey, test.secret), "connect_timeout": "300ms"})
			before := r.world()
			fails(t, h.Probe("remote_status", nil), schema.FailedClean, test.code)
			for _, action := range []string{"push", "fetch", "pull"} {
				refused(t, h.Preview(action, nil), test.code)
				fails(t, h.Act(action, nil), schema.FailedClean, test.code)
			}
			equal(t, before, r.world())
		})
	}
	r.pointAt("s3://"+bucket, server.Port)
	t.Setenv("HOME", t.TempDir())
	fails(t, r.harness(nil).Probe("remote_status", nil), schema.FailedClean, "no_credentials", "credentials")
	// Keys of the environment, and of the shared file, are found as DVC does.
	env := map[string]string{"AWS_ACCESS_KEY_ID": server.AccessKey, "AWS_SECRET_ACCESS_KEY": server.SecretKey, "DVC_SITE_CACHE_DIR": r.dir + "/site"}
	done(t, r.harness(map[string]any{"env": env}).Act("push", nil))
	r.write(".dvc/config.local", "['remote \"minio\"']\n    profile = lab\n    credentialpath = keys\n")
	r.write(".dvc/keys", "[lab]\naws_access_key_id = "+server.AccessKey+"\naws_secret_access_key = "+server.SecretKey+"\n")
	equal(t, true, done(t, r.harness(nil).Probe("remote_status", nil))["ok"])
}

// A server that dies while it is asked for many is no server without them.
func TestS3ThatAnswersLate(t *testing.T) {
	r := newRoom(t)
	bucket := r.overS3()
	r.pointAt("s3://"+bucket, backendtest.Blackhole(t))
	h := r.harness(map[string]any{"credentials": key(server.AccessKey, server.SecretKey), "connect_timeout": "1h"})
	fails(t, h.Probe("remote_status", nil, sdktest.Deadline(time.Now().Add(300*time.Millisecond))), schema.FailedClean, "timeout")
}
