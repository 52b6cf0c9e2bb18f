package minio_test

import (
	"crypto/sha256"
	"fmt"
	"os"

	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/minio"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestHealth(t *testing.T) {
	refused, blackhole := backendtest.Refused(t), backendtest.Blackhole(t)
	for name, test := range map[string]struct {
		config  map[string]any
		ok      bool
		reason  string
		summary string
	}{
		"answers":        {nil, true, "", "is live and ready, and can write"},
		"nobody listens": {map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", refused)}, false, "connection_refused", "refused the connection"},
		"nobody answers": {map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", blackhole), "answer_timeout": "200ms"}, false, "timeout", "did not answer in time"},
		"no such host":   {map[string]any{"endpoint": "http://nowhere.invalid:9000"}, false, "host_unknown", "nowhere.invalid"},
		"no TLS":         {map[string]any{"endpoint": "https://" + server.Address()}, false, "tls_failed", "http: server gave HTTP response to HTTPS client"},
	} {
		t.Run(name, func(t *testing.T) {
			got := done(t, harness(t, test.config).Probe("health", nil))
			if !strings.Contains(got["summary"].(string), test.summary) {
				t.Errorf("summary %q lacks %q", got["summary"], test.summary)
			}
			equal(t, []any{test.ok, test.reason}, []any{got["ok"], got["reason"]})
		})
	}
	got := done(t, harness(t, nil).Probe("health", nil), "summary")
	equal(t, map[string]any{"ok": true, "reason": "", "live": true, "ready": true, "cluster": true, "write_quorum": 3, "healing_drives": nil}, got)
}

// Three of four drives are gone: the process lives, and can write nothing.
func TestHealthWithoutQuorum(t *testing.T) {
	own, err := backendtest.StartMinIO(4)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Stop()
	own.Kill()
	for _, drive := range own.Drives[:2] {
		if err := os.RemoveAll(drive); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(drive, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own.Restart(t)
	h := harness(t, map[string]any{"endpoint": "http://" + own.Address()})
	got := done(t, h.Probe("health", nil), "summary", "healing_drives")
	equal(t, map[string]any{"ok": false, "reason": "no_quorum", "live": true, "ready": true, "cluster": false, "write_quorum": 3}, got)
	fails(t, wantEnd{"failed_clean", "no_quorum"}, h.Act("make_bucket", map[string]any{"bucket": "bars"}))
}

func TestBucketAndVersioning(t *testing.T) {
	l := newLab(t)
	got := done(t, l.Probe("bucket", map[string]any{"bucket": l.bucket}))
	equal(t, map[string]any{"ok": true, "summary": "the bucket " + l.bucket + " exists, versioning is off", "exists": true, "versioning": "off", "object_lock": false, "empty": true}, got)
	l.put(t, l.bucket, "a", "a")
	if err := l.client.EnableVersioning(t.Context(), l.bucket); err != nil {
		t.Fatal(err)
	}
	got = done(t, l.Probe("bucket", map[string]any{"bucket": l.bucket}), "summary")
	equal(t, map[string]any{"ok": true, "exists": true, "versioning": "enabled", "object_lock": false, "empty": false}, got)
	equal(t, true, done(t, l.Probe("versioning", map[string]any{"bucket": l.bucket}))["ok"])
	if err := l.client.SuspendVersioning(t.Context(), l.bucket); err != nil {
		t.Fatal(err)
	}
	equal(t, map[string]any{"ok": false, "status": "suspended", "summary": "versioning of " + l.bucket + " is suspended"}, done(t, l.Probe("versioning", map[string]any{"bucket": l.bucket})))
	missing := done(t, l.Probe("bucket", map[string]any{"bucket": "no-such-bucket"}), "summary")
	equal(t, map[string]any{"ok": false, "exists": false, "versioning": "", "object_lock": false, "empty": false}, missing)
	fails(t, wantEnd{"failed_clean", "bucket_missing"}, l.Probe("versioning", map[string]any{"bucket": "no-such-bucket"}))
}

func TestObject(t *testing.T) {
	l := newLab(t)
	l.old(t, l.bucket, "USDCOP/bars.csv", "bars", 3*day)
	args := map[string]any{"bucket": l.bucket, "object": "USDCOP/bars.csv"}
	got := done(t, l.Probe("object", args), "summary", "last_modified", "age_seconds", "metadata", "version_id")
	equal(t, map[string]any{
		"ok": true, "exists": true, "bytes": 4,
		"etag": "5f4c1a3ad3b6db5e0c5a0e2e3d9e6d6d", "content_type": "application/octet-stream", "sha256": "",
	}, withETag(got))
	for name, extra := range map[string]map[string]any{
		"too small": {"min_bytes": 5}, "too old": {"max_age": "71h"}, "another content": {"sha256": strings.Repeat("0", 64)},
	} {
		for k, v := range args {
			extra[k] = v
		}
		if got := done(t, l.Probe("object", extra)); got["ok"] != false {
			t.Errorf("%s: %v", name, got)
		}
	}
	args["sha256"] = strings.ToUpper(fmt.Sprintf("%x", sha256.Sum256([]byte("bars"))))
	equal(t, true, done(t, l.Probe("object", args))["ok"])
	missing := done(t, l.Probe("object", map[string]any{"bucket": l.bucket, "object": "usdcop/bars.csv"}))
	equal(t, []any{false, false, nil, nil}, []any{missing["ok"], missing["exists"], missing["bytes"], missing["age_seconds"]})
	fails(t, wantEnd{"failed_clean", "bucket_missing"}, l.Probe("object", map[string]any{"bucket": "no-such-bucket", "object": "a"}))
}

func withETag(got map[string]any) map[string]any {
	if tag, _ := got["etag"].(string); len(tag) == 32 {
		got["etag"] = "5f4c1a3ad3b6db5e0c5a0e2e3d9e6d6d"
	}
	return got
}

func TestObjects(t *testing.T) {
	l := newLab(t)
	for i := range 5 {
		l.old(t, l.bucket, fmt.Sprintf("M5/%d.csv", i), strings.Repeat("x", i), time.Duration(i)*100*day+time.Hour)
	}
	l.put(t, l.bucket, "other", "x")
	probe := func(args map[string]any) map[string]any {
		args["bucket"] = l.bucket
		return done(t, l.Probe("objects", args))
	}
	got := probe(map[string]any{"prefix": "M5/"})
	newest, oldest := got["newest"].(map[string]any), got["oldest"].(map[string]any)
	equal(t, []any{true, 5, 10, 0, "M5/0.csv", "M5/4.csv", "5 objects in " + l.bucket + "/M5/, 10 B"},
		[]any{got["ok"], got["objects"], got["bytes"], got["markers"], newest["object"], oldest["object"], got["summary"]})
	equal(t, []any{3, 9}, []any{probe(map[string]any{"older_than": "4320h"})["objects"], probe(map[string]any{"older_than": "4320h"})["bytes"]})
	equal(t, 2, probe(map[string]any{"newer_than": "24h"})["objects"])
	equal(t, false, probe(map[string]any{"older_than": "4320h", "min": 0, "max": 0})["ok"])
	equal(t, true, probe(map[string]any{"prefix": "nothing/", "min": 0, "max": 0})["ok"])
	equal(t, false, probe(map[string]any{"prefix": "nothing/"})["ok"])
	equal(t, false, probe(map[string]any{"prefix": "nothing/", "min": 0, "max_age": "24h"})["ok"])
	equal(t, true, probe(map[string]any{"prefix": "M5/", "max_age": "2h"})["ok"])
	equal(t, false, probe(map[string]any{"prefix": "M5/", "max_age": "30m"})["ok"])
	fails(t, wantEnd{"failed_clean", "bucket_missing"}, l.Probe("objects", map[string]any{"bucket": "no-such-bucket"}))
}

// MinIO's own tool counts the same.
func TestObjectsAgreeWithMC(t *testing.T) {
	l := newLab(t)
	for i := range 30 {
		l.old(t, l.bucket, fmt.Sprintf("a/%02d", i), "x", time.Duration(i)*10*day+time.Hour)
	}
	for _, age := range []string{"0s", "1d", "90d", "180d", "400d"} {
		want := len(strings.Fields(server.MC(t, "find", "test/"+l.bucket, "--older-than", age)))
		d := map[string]string{"0s": "0s", "1d": "24h", "90d": "2160h", "180d": "4320h", "400d": "9600h"}[age]
		equal(t, want, done(t, l.Probe("objects", map[string]any{"bucket": l.bucket, "older_than": d}))["objects"])
	}
}

func TestCapacity(t *testing.T) {
	got := done(t, harness(t, nil).Probe("capacity", map[string]any{"max_used_ratio": 1}), "summary", "version")
	drives := got["drives"].([]any)
	first := drives[0].(map[string]any)
	equal(t, []any{true, 4, 0, 2, 4, "ok", server.Drives[0]}, []any{got["ok"], got["online_drives"], got["offline_drives"], got["parity"], len(drives), first["state"], first["path"]})
	if got["total_bytes"].(int) <= got["free_bytes"].(int) || got["free_bytes"].(int) == 0 {
		t.Errorf("%v of %v bytes are free", got["free_bytes"], got["total_bytes"])
	}
	equal(t, false, done(t, harness(t, nil).Probe("capacity", map[string]any{"max_used_ratio": 0.000001}))["ok"])
}

func TestDistinctFailures(t *testing.T) {
	l := newLab(t)
	l.put(t, l.bucket, "a", "a")
	refused, blackhole := backendtest.Refused(t), backendtest.Blackhole(t)
	probes := map[string]map[string]any{
		"bucket": {"bucket": l.bucket}, "object": {"bucket": l.bucket, "object": "a"}, "objects": {"bucket": l.bucket},
		"versioning": {"bucket": l.bucket}, "lifecycle": {"bucket": l.bucket}, "capacity": {},
	}
	actions := map[string]map[string]any{
		"make_bucket": {"bucket": l.bucket}, "remove_older_than": {"bucket": l.bucket, "age": "24h"},
		"lifecycle_rule": {"bucket": l.bucket, "id": "old", "expire_days": 1}, "heal": {"bucket": l.bucket},
		"mirror": {"from": place(l.bucket, ""), "to": directory(t.TempDir())}, "copy": {"from": place(l.bucket, ""), "to": directory(t.TempDir())},
	}
	for code, config := range map[string]map[string]any{
		"connection_refused":    {"endpoint": fmt.Sprintf("http://127.0.0.1:%d", refused)},
		"timeout":               {"endpoint": fmt.Sprintf("http://127.0.0.1:%d", blackhole), "answer_timeout": "200ms"},
		"authentication_failed": {"secret_key": "wrong-secret"},
		"permission_denied":     {"access_key": nil, "secret_key": nil},
		"host_unknown":          {"endpoint": "http://nowhere.invalid:9000"},
		"tls_failed":            {"endpoint": "https://" + server.Address()},
	} {
		h := harness(t, config)
		for name, args := range probes {
			t.Run(code+"/"+name, func(t *testing.T) { fails(t, wantEnd{"failed_clean", code}, h.Probe(name, args)) })
		}
		for name, args := range actions {
			t.Run(code+"/"+name, func(t *testing.T) {
				o := h.Act(name, args)
				fails(t, wantEnd{"failed_clean", code}, o)
				if o.Failure.Remedy == "" {
					t.Errorf("no remedy: %v", o.Failure)
				}
				if strings.Contains(fmt.Sprint(o.Failure), "wrong-secret") {
					t.Errorf("the secret is in %v", o.Failure)
				}
			})
		}
	}
}

func TestDeadlineBoundsAHungServer(t *testing.T) {
	h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Blackhole(t))})
	started := time.Now()
	fails(t, wantEnd{"failed_clean", "timeout"}, h.Probe("objects", map[string]any{"bucket": "bars"}, sdktest.Deadline(started.Add(300*time.Millisecond))))
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for _, config := range []map[string]any{
		{"endpoint": "minio:9000"}, {"endpoint": "http://"}, {"endpoint": "http://user@minio"}, {"endpoint": "http://minio/bucket"},
		{"endpoint": "http://minio", "access_key": "a"}, {"endpoint": "http://minio", "part_size": 1}, {"endpoint": "http://minio", "answer_timeout": "0s"},
		{"endpoint": "http://minio", "sites": map[string]any{"aws": map[string]any{"endpoint": "s3.amazonaws.com"}}},
		{"endpoint": "http://minio", "sites": map[string]any{"aws": map[string]any{"endpoint": "https://s3.amazonaws.com", "access_key": "a"}}},
		{"endpoint": "http://minio", "secret_keys": map[string]string{"aws": "secret"}},
	} {
		if _, err := sdktest.Try(t, minio.Provider(), config); err == nil || strings.Contains(err.Error(), "user@") {
			t.Errorf("%v: %v", config, err)
		}
	}
}
