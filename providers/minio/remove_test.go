package minio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

const old180 = "4320h" // 180 days

func TestRemoveOlderThan(t *testing.T) {
	l := newLab(t)
	for i := range 25 {
		l.old(t, l.bucket, fmt.Sprintf("M5/old-%02d", i), strings.Repeat("x", 10), 181*day)
		l.old(t, l.bucket, fmt.Sprintf("M5/new-%02d", i), "x", 179*day)
	}
	l.old(t, l.bucket, "other/old", "x", 400*day)
	args := map[string]any{"bucket": l.bucket, "prefix": "M5/", "age": old180}

	preview := l.Preview("remove_older_than", args)
	equal(t, schema.Impact{"objects": 25, "bytes": 250}, preview.Impact)
	equal(t, "removes 25 objects from "+l.bucket+"/M5/, 250 B", preview.Summary)
	equal(t, "M5/old-00  10 B, 181d old", preview.Sample[0])
	equal(t, 51, len(l.held(t, l.bucket)))

	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("remove_older_than", args, sdktest.Limit("objects", 24)), "25 objects would be removed, the limit is 24")
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("remove_older_than", args, sdktest.Limit("bytes", 249)), "250 bytes would be removed, the limit is 249")
	equal(t, 51, len(l.held(t, l.bucket)))

	want := map[string]any{"ok": true, "summary": "removed 25 objects from " + l.bucket + "/M5/, 250 B", "objects": 25, "bytes": 250, "markers": 0, "frees_space": true}
	equal(t, want, done(t, l.Act("remove_older_than", args, sdktest.Limit("objects", 25)), "older_than"))
	equal(t, 26, len(l.held(t, l.bucket)))
	again := map[string]any{"ok": true, "summary": "removed 0 objects from " + l.bucket + "/M5/, 0 B", "objects": 0, "bytes": 0, "markers": 0, "frees_space": true}
	equal(t, again, done(t, l.Act("remove_older_than", args), "older_than"))
}

// More than S3 takes in one request, or gives in one list.
func TestRemoveManyObjects(t *testing.T) {
	l := newLab(t)
	var writers errgroup.Group
	writers.SetLimit(16)
	for i := range 1100 {
		writers.Go(func() error { l.old(t, l.bucket, fmt.Sprintf("%04d", i), "", 10*day); return nil })
	}
	_ = writers.Wait()
	args := map[string]any{"bucket": l.bucket, "age": "24h"}
	equal(t, schema.Impact{"objects": 1100, "bytes": 0}, l.Preview("remove_older_than", args).Impact)
	equal(t, 1100, done(t, l.Act("remove_older_than", args))["objects"])
	equal(t, 0, len(l.held(t, l.bucket)))
}

// What our preview counts and removes is what MinIO's own tool removes, by the
// command that is shown.
func TestRemoveDoesWhatMCDoes(t *testing.T) {
	l := newLab(t)
	twin := server.Bucket(t)
	for _, bucket := range []string{l.bucket, twin} {
		for i := range 20 {
			l.old(t, bucket, fmt.Sprintf("m/%02d.json", i), "x", time.Duration(i)*10*day+time.Hour)
		}
	}
	args := map[string]any{"bucket": twin, "prefix": "m/", "age": "2160h"}
	described := l.Describe("remove_older_than", args)
	equal(t, []string{"mc", "rm", "--recursive", "--force", "--older-than", "90d", "test/" + twin + "/m/"}, described.Command)
	count := l.Preview("remove_older_than", args).Impact["objects"]
	server.MC(t, described.Command[1:]...)
	equal(t, int64(20-len(l.held(t, twin))), count)
	args["bucket"] = l.bucket
	done(t, l.Act("remove_older_than", args))
	equal(t, l.held(t, twin), l.held(t, l.bucket))
}

// versioned is a bucket that keeps versions, with two old ones of each object.
func (l lab) versioned(t *testing.T, objects int) {
	t.Helper()
	if err := l.client.EnableVersioning(t.Context(), l.bucket); err != nil {
		t.Fatal(err)
	}
	for i := range objects {
		for _, age := range []time.Duration{300 * day, 200 * day} {
			l.old(t, l.bucket, fmt.Sprintf("backup-%02d", i), strings.Repeat("x", 200<<10), age)
		}
	}
}

// Where versions are kept a deletion frees nothing, and nobody is to think so.
func TestRemoveOnAVersionedBucket(t *testing.T) {
	l := newLab(t)
	l.versioned(t, 4)
	args := map[string]any{"bucket": l.bucket, "age": old180}
	full := stored(t, l.bucket)

	said := "versions is not given"
	equal(t, "invalid_argument", l.Preview("remove_older_than", args).Failure.Code)
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("remove_older_than", args), said)
	equal(t, 8, l.versions(t, l.bucket))

	args["versions"] = false
	preview := l.Preview("remove_older_than", args)
	equal(t, "puts delete markers over 4 objects in "+l.bucket+", which frees no space", preview.Summary)
	got := done(t, l.Act("remove_older_than", args), "older_than")
	equal(t, []any{4, false}, []any{got["objects"], got["frees_space"]})
	equal(t, 12, l.versions(t, l.bucket))
	if now := stored(t, l.bucket); now < full {
		t.Errorf("the drives held %d bytes, and now %d: delete markers freed something", full, now)
	}

	args["versions"] = true
	preview = l.Preview("remove_older_than", args)
	equal(t, schema.Impact{"objects": 8, "bytes": 8 * 200 << 10}, preview.Impact)
	got = done(t, l.Act("remove_older_than", args, sdktest.Limit("objects", 8)), "older_than")
	equal(t, map[string]any{
		"ok": true, "summary": "removed 8 versions and 0 delete markers from " + l.bucket + ", 1.6 MiB",
		"objects": 8, "bytes": 8 * 200 << 10, "markers": 0, "frees_space": true,
	}, got)
	equal(t, 4, l.versions(t, l.bucket)) // the markers are young
	if now := stored(t, l.bucket); now > full/20 {
		t.Errorf("the drives held %d bytes, and still %d", full, now)
	}
}

// Old versions under a young one go, the young one stays.
func TestRemoveVersionsLeavesTheYoung(t *testing.T) {
	l := newLab(t)
	l.versioned(t, 2)
	l.put(t, l.bucket, "backup-00", "now")
	args := map[string]any{"bucket": l.bucket, "age": old180, "versions": true}
	equal(t, 4, done(t, l.Act("remove_older_than", args))["objects"])
	equal(t, map[string]string{"backup-00": "now"}, l.held(t, l.bucket))
	equal(t, 1, l.versions(t, l.bucket))
}

func TestRemoveIsDescribed(t *testing.T) {
	l := newLab(t)
	args := map[string]any{"bucket": "99-common-trading-backups", "age": "2160h", "versions": true}
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: here("/99-common-trading-backups"), Mode: schema.Delete}}, Destructive: true, Settling: schema.Idempotent,
		Command: []string{"mc", "rm", "--recursive", "--force", "--older-than", "90d", "--versions", "test/99-common-trading-backups/"},
		Summary: "removes what is older than 90d from 99-common-trading-backups",
	}, l.Describe("remove_older_than", args))
	args["prefix"] = "manifests/2025"
	equal(t, here("/99-common-trading-backups/manifests"), l.Describe("remove_older_than", args).Effects[0].Resource)
	args["bucket"] = cty.UnknownVal(cty.String)
	equal(t, here(""), l.Describe("remove_older_than", args).Effects[0].Resource)
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("remove_older_than", map[string]any{"bucket": l.bucket, "age": "0s"}))
	fails(t, wantEnd{"failed_clean", "bucket_missing"}, l.Act("remove_older_than", map[string]any{"bucket": "no-such-bucket", "age": "1h"}))
}

// Of a request that was sent and not answered, nobody knows; before it is sent,
// it is certain that nothing was removed.
func TestRemoveCutInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		cut  backendtest.Cut
		want wantEnd
		left int
	}{
		{backendtest.Cut{When: "get /" + "%s"}, wantEnd{"failed_clean", "connection_lost"}, 3},
		{backendtest.Cut{When: "post /" + "%s"}, wantEnd{"unknown", "connection_lost"}, 3},
		{backendtest.Cut{When: "<delete", Forward: true}, wantEnd{"unknown", "connection_lost"}, 0},
	} {
		l := newLab(t)
		for i := range 3 {
			l.old(t, l.bucket, fmt.Sprintf("%d", i), "x", 10*day)
		}
		if strings.Contains(test.cut.When, "%s") {
			test.cut.When = fmt.Sprintf(test.cut.When, l.bucket)
		}
		port := backendtest.Proxy(t, server.Address(), test.cut)
		args := map[string]any{"bucket": l.bucket, "age": "24h"}
		h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
		fails(t, test.want, h.Act("remove_older_than", args))
		equal(t, test.left, len(l.held(t, l.bucket)))
		done(t, h.Act("remove_older_than", args)) // again is harmless
		equal(t, 0, len(l.held(t, l.bucket)))
	}
}
