package minio_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMakeBucket(t *testing.T) {
	l := newLab(t)
	name := l.bucket + "-new"
	args := map[string]any{"bucket": name}
	equal(t, schema.Impact{"buckets": 1}, l.Preview("make_bucket", args).Impact)
	want := map[string]any{"ok": true, "summary": "made the bucket " + name + ", versioning is off", "created": true, "previous_versioning": ""}
	equal(t, want, done(t, l.Act("make_bucket", args)))
	equal(t, schema.Impact{"buckets": 0}, l.Preview("make_bucket", args).Impact)
	want = map[string]any{"ok": true, "summary": "the bucket " + name + " existed, versioning is off", "created": false, "previous_versioning": "off"}
	equal(t, want, done(t, l.Act("make_bucket", args)))

	args["versioning"] = true
	equal(t, "has the bucket "+name+" keep versions, which exists (versioning is off)", l.Preview("make_bucket", args).Summary)
	equal(t, []string{"mc", "mb", "--ignore-existing", "--with-versioning", "test/" + name}, l.Describe("make_bucket", args).Command)
	want = map[string]any{"ok": true, "summary": "the bucket " + name + " existed, versioning is enabled", "created": false, "previous_versioning": "off"}
	equal(t, want, done(t, l.Act("make_bucket", args)))
	fails(t, wantEnd{"failed_clean", "bucket_differs"}, l.Act("make_bucket", map[string]any{"bucket": name, "object_lock": true}))
	locked := map[string]any{"bucket": l.bucket + "-locked", "object_lock": true}
	done(t, l.Act("make_bucket", locked))
	equal(t, false, done(t, l.Act("make_bucket", locked))["created"])
	equal(t, true, done(t, l.Probe("bucket", map[string]any{"bucket": l.bucket + "-locked"}))["object_lock"])
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("make_bucket", map[string]any{"bucket": "No_Bucket"}))
}

func TestLifecycleRule(t *testing.T) {
	l := newLab(t)
	none := map[string]any{"bucket": l.bucket}
	equal(t, map[string]any{"ok": false, "summary": l.bucket + " has no enabled rule", "rules": []any{}}, done(t, l.Probe("lifecycle", none)))
	// Somebody else's rule, which says more than this provider shows.
	other := lifecycle.Rule{ID: "theirs", Status: "Enabled", RuleFilter: lifecycle.Filter{Tag: lifecycle.Tag{Key: "team", Value: "data"}}, Expiration: lifecycle.Expiration{Days: 7}}
	if err := l.client.SetBucketLifecycle(t.Context(), l.bucket, &lifecycle.Configuration{Rules: []lifecycle.Rule{other}}); err != nil {
		t.Fatal(err)
	}
	l.old(t, l.bucket, "old", "12345", 400*day)
	l.old(t, l.bucket, "new", "x", 300*day)
	args := map[string]any{"bucket": l.bucket, "id": "expire-old", "expire_days": 365}

	preview := l.Preview("lifecycle_rule", args)
	equal(t, schema.Impact{"objects": 1, "bytes": 5}, preview.Impact)
	equal(t, "the rule expire-old deletes all objects after 365 days in "+l.bucket+": 1 object, 5 B, old enough now", preview.Summary)
	want := map[string]any{"ok": true, "summary": "the rule expire-old deletes all objects after 365 days in " + l.bucket, "changed": true, "previous": nil, "rules": 2}
	equal(t, want, done(t, l.Act("lifecycle_rule", args)))
	equal(t, false, done(t, l.Act("lifecycle_rule", args))["changed"])
	config, err := l.client.GetBucketLifecycle(t.Context(), l.bucket)
	if err != nil || len(config.Rules) != 2 || config.Rules[0].RuleFilter.Tag.Value != "data" {
		t.Errorf("%+v, %v", config, err)
	}
	ours := map[string]any{"id": "expire-old", "enabled": true, "prefix": "", "expire_days": 365, "noncurrent_days": nil, "other": false}
	theirs := map[string]any{"id": "theirs", "enabled": true, "prefix": "", "expire_days": 7, "noncurrent_days": nil, "other": true}
	equal(t, []any{theirs, ours}, done(t, l.Probe("lifecycle", map[string]any{"bucket": l.bucket, "id": "expire-old"}))["rules"])

	args["expire_days"], args["prefix"] = 30, "tmp/"
	got := done(t, l.Act("lifecycle_rule", args))
	equal(t, ours, got["previous"].(map[string]any)) // with which it is taken back
	args = map[string]any{"bucket": l.bucket, "id": "expire-old", "absent": true}
	equal(t, false, l.Describe("lifecycle_rule", args).Destructive)
	equal(t, []any{true, 1}, []any{done(t, l.Act("lifecycle_rule", args))["changed"], 1})
	equal(t, false, done(t, l.Act("lifecycle_rule", args))["changed"])
	equal(t, false, done(t, l.Probe("lifecycle", map[string]any{"bucket": l.bucket, "id": "expire-old"}))["ok"])
	for _, wrong := range []map[string]any{{"expire_days": 0}, {}, {"expire_days": 1, "absent": true}, {"noncurrent_days": -1}} {
		wrong["bucket"], wrong["id"] = l.bucket, "x"
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("lifecycle_rule", wrong))
	}
}

// The shown command makes MinIO's own tool write the same rule.
func TestLifecycleRuleDoesWhatMCDoes(t *testing.T) {
	l := newLab(t)
	described := l.Describe("lifecycle_rule", map[string]any{"bucket": l.bucket, "id": "x", "expire_days": 365, "prefix": "M5/"})
	equal(t, []string{"mc", "ilm", "rule", "add", "--expire-days", "365", "--prefix", "M5/", "test/" + l.bucket}, described.Command)
	equal(t, []schema.Effect{{Resource: here("/" + l.bucket + "/M5"), Mode: schema.Delete}}, described.Effects)
	server.MC(t, described.Command[1:]...)
	rules := done(t, l.Probe("lifecycle", map[string]any{"bucket": l.bucket}))["rules"].([]any)
	rule := rules[0].(map[string]any)
	equal(t, []any{1, 365, "M5/", true, false}, []any{len(rules), rule["expire_days"], rule["prefix"], rule["enabled"], rule["other"]})
}

// Noncurrent versions count from when they were replaced.
func TestLifecycleRuleCountsVersions(t *testing.T) {
	l := newLab(t)
	l.versioned(t, 3) // versions of 300 and 200 days
	args := map[string]any{"bucket": l.bucket, "id": "v", "noncurrent_days": 250}
	equal(t, schema.Impact{"objects": 0, "bytes": 0}, l.Preview("lifecycle_rule", args).Impact)
	args["noncurrent_days"] = 150
	equal(t, schema.Impact{"objects": 3, "bytes": 3 * 200 << 10}, l.Preview("lifecycle_rule", args).Impact)
}

// lose takes an object's data from one drive.
func lose(t testing.TB, bucket, key string) string {
	t.Helper()
	path := filepath.Join(server.Drives[1], bucket, key)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(path, "xl.meta")
}

func TestHeal(t *testing.T) {
	l := newLab(t)
	for i := range 5 {
		l.put(t, l.bucket, fmt.Sprintf("bars/%d", i), strings.Repeat("x", 300<<10))
	}
	args := map[string]any{"bucket": l.bucket, "prefix": "bars"}
	lost := []string{lose(t, l.bucket, "bars/1"), lose(t, l.bucket, "bars/3")}
	preview := l.Preview("heal", args)
	equal(t, schema.Impact{"objects": 2}, preview.Impact)
	equal(t, "heals 2 of 5 objects in "+l.bucket+"/bars", preview.Summary)
	for _, path := range lost {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("the preview healed %s", path)
		}
	}
	got := done(t, l.Act("heal", args))
	equal(t, map[string]any{"ok": true, "summary": "healed 2 of 5 objects in " + l.bucket + "/bars", "objects": 5, "healed": 2, "broken": 0, "sample": []any{"bars/1", "bars/3"}}, got)
	for _, path := range lost {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	equal(t, 0, done(t, l.Act("heal", args))["healed"])
	fails(t, wantEnd{"failed_clean", "bucket_missing"}, l.Act("heal", map[string]any{"bucket": "no-such-bucket"}))
	equal(t, []string{"mc", "admin", "heal", "--recursive", "test/" + l.bucket + "/bars"}, l.Describe("heal", args).Command)
}

// When the wait is cancelled MinIO stops healing: it would go on by itself.
func TestCancelStopsHealing(t *testing.T) {
	l := newLab(t)
	l.put(t, l.bucket, "a", "a")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	port := backendtest.Intercept(t, server.Address(), backendtest.Cut{When: "clienttoken="}, func() {
		cancel()
		<-ended // until then MinIO has not told how far it is
	})
	h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
	o := h.Act("heal", map[string]any{"bucket": l.bucket}, sdktest.Context(ctx))
	close(ended)
	fails(t, wantEnd{"failed_partial", "cancelled"}, o)
	// Where one is still at work MinIO refuses another.
	done(t, l.Act("heal", map[string]any{"bucket": l.bucket}))
}

// Of a healing whose beginning nobody answered nobody knows, and it is stopped.
func TestHealThatIsNotAnswered(t *testing.T) {
	l := newLab(t)
	l.put(t, l.bucket, "bars/1", "one")
	var stopped atomic.Bool
	stops := backendtest.Intercept(t, server.Address(), backendtest.Cut{When: "forceStop=true"}, func() { stopped.Store(true) })
	port := backendtest.Proxy(t, fmt.Sprintf("127.0.0.1:%d", stops), backendtest.Cut{When: "POST /minio/admin/v3/heal/", Forward: true})
	h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
	fails(t, wantEnd{"unknown", "connection_lost"}, h.Act("heal", map[string]any{"bucket": l.bucket}))
	if !stopped.Load() {
		t.Error("MinIO was not told to stop")
	}
	done(t, l.Act("heal", map[string]any{"bucket": l.bucket}))
}
