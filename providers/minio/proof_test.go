package minio_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	s3 "github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/minio"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// world is what buckets and a folder hold, by content and not by time.
func (l lab) world(t testing.TB, dir string, buckets ...string) any {
	held := map[string]any{"files": files(t, dir)}
	for _, bucket := range buckets {
		found, err := l.client.BucketExists(t.Context(), bucket)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			continue
		}
		var objects []string
		for o := range l.client.ListObjectsIter(t.Context(), bucket, s3.ListObjectsOptions{Recursive: true, WithVersions: true}) {
			objects = append(objects, fmt.Sprintf("%s %d %s %v %v", o.Key, o.Size, o.ETag, o.IsDeleteMarker, o.Err))
		}
		config, err := l.client.GetBucketLifecycle(t.Context(), bucket)
		var rules []string
		if err == nil {
			for _, rule := range config.Rules {
				rules = append(rules, fmt.Sprintf("%s %d", rule.ID, rule.Expiration.Days))
			}
		}
		held[bucket] = map[string]any{"objects": objects, "rules": rules}
	}
	// What a drive has lost shows nowhere else.
	held["drive"] = len(files(t, filepath.Join(server.Drives[1], l.bucket)))
	return held
}

func TestProof(t *testing.T) {
	l := newLab(t)
	target, made := server.Bucket(t), l.bucket+"-made"
	dir := t.TempDir()
	clean := func(t testing.TB, bucket string) {
		for o := range l.client.ListObjectsIter(t.Context(), bucket, s3.ListObjectsOptions{Recursive: true}) {
			if err := l.client.RemoveObject(t.Context(), bucket, o.Key, s3.RemoveObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	filled := func(t testing.TB) {
		if err := l.client.SetBucketLifecycle(t.Context(), l.bucket, nil); err != nil {
			t.Fatal(err)
		}
		clean(t, l.bucket)
		for i := range 6 {
			l.old(t, l.bucket, fmt.Sprintf("bars/%d", i), strings.Repeat("x", 10+i), time.Duration(i*100)*day+time.Hour)
		}
	}
	// At the target one is missing, one is another, one is too many.
	behind := func(t testing.TB) {
		filled(t)
		clean(t, target)
		for i := range 5 {
			l.put(t, target, fmt.Sprintf("bars/%d", i), strings.Repeat("x", 10+i))
		}
		l.put(t, target, "bars/3", "another")
		l.put(t, target, "bars/stray", "x")
		for name := range files(t, dir) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, dir, "bars/1", "another")
	}
	bucket := map[string]any{"bucket": l.bucket}
	none := func(args map[string]any) sdktest.Refused {
		return sdktest.Refused{Args: args, Code: "bucket_missing"}
	}
	missing := map[string]any{"bucket": "no-such-bucket"}
	rule := map[string]any{"bucket": l.bucket, "id": "old", "expire_days": 3650}
	sdktest.Prove(t, sdktest.Proof{
		Provider: minio.Provider,
		Config:   map[string]any{"endpoint": "http://" + server.Address(), "access_key": server.AccessKey, "secret_key": server.SecretKey},
		World:    func(t testing.TB) any { return l.world(t, dir, l.bucket, target, made) },
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Refused(t))}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Blackhole(t)), "answer_timeout": "300ms"}, Code: "timeout"},
			{Name: "wrong credentials", Config: map[string]any{"secret_key": "no-such-secret"}, Code: "authentication_failed", Spares: []string{"health"}},
			{Name: "no credentials", Config: map[string]any{"access_key": nil, "secret_key": nil}, Code: "permission_denied", Spares: []string{"health"}},
			{Name: "unknown host", Config: map[string]any{"endpoint": "http://nowhere.invalid:9000"}, Code: "host_unknown"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "health", Answers: true},
			{Name: "bucket", Args: bucket},
			{Name: "object", Setup: filled, Args: map[string]any{"bucket": l.bucket, "object": "bars/1"}, Refused: []sdktest.Refused{none(map[string]any{"bucket": "no-such-bucket", "object": "a"})}},
			{Name: "objects", Setup: filled, Args: bucket, Refused: []sdktest.Refused{none(missing)}},
			{Name: "capacity", Refused: []sdktest.Refused{{Args: map[string]any{"max_used_ratio": 2}, Code: "invalid_argument"}}},
			{Name: "versioning", Args: bucket, Refused: []sdktest.Refused{none(missing)}},
			{Name: "lifecycle", Args: bucket, Refused: []sdktest.Refused{none(missing)}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "make_bucket", Args: map[string]any{"bucket": made}, Class: schema.Idempotent,
				Setup: func(t testing.TB) {
					if err := l.client.RemoveBucket(t.Context(), made); err != nil && s3.ToErrorResponse(err).Code != "NoSuchBucket" {
						t.Fatal(err)
					}
				},
				Did: func(_ testing.TB, result map[string]any) schema.Impact {
					return schema.Impact{"buckets": map[any]int64{true: 1, false: 0}[result["created"]]}
				},
				Refused: []sdktest.Refused{{Args: map[string]any{"bucket": "No_Bucket"}, Code: "invalid_argument"}},
			},
			{
				Name: "mirror", Setup: behind, Class: schema.Idempotent, Destroys: true,
				Args: map[string]any{"from": place(l.bucket, ""), "to": place(target, ""), "overwrite": true, "remove": true},
				Refused: []sdktest.Refused{
					none(map[string]any{"from": place(l.bucket, ""), "to": place("no-such-bucket", "")}),
					none(map[string]any{"from": place("no-such-bucket", ""), "to": place(target, "")}),
					{Args: map[string]any{"from": place(l.bucket, ""), "to": place(target, "")}, Code: "would_overwrite"},
					{Args: map[string]any{"from": place(l.bucket, "none/"), "to": place(target, ""), "remove": true}, Code: "source_too_small"},
				},
			},
			{
				Name: "copy", Setup: behind, Class: schema.Idempotent, Destroys: true,
				Args: map[string]any{"from": place(l.bucket, "bars/"), "to": directory(filepath.Join(dir, "bars")), "overwrite": true},
				Refused: []sdktest.Refused{
					{Args: map[string]any{"from": map[string]any{"bucket": l.bucket, "object": "none"}, "to": directory(dir)}, Code: "object_missing"},
				},
			},
			{
				Name: "remove_older_than", Setup: filled, Class: schema.Idempotent, Destroys: true,
				Args: map[string]any{"bucket": l.bucket, "prefix": "bars/", "age": old180},
				Refused: []sdktest.Refused{
					none(map[string]any{"bucket": "no-such-bucket", "age": old180}),
					{Args: map[string]any{"bucket": l.bucket, "age": "0s"}, Code: "invalid_argument"},
				},
			},
			{
				Name: "lifecycle_rule", Args: rule, Class: schema.Idempotent, Destroys: true,
				Setup:   filled,
				Did:     func(testing.TB, map[string]any) schema.Impact { return schema.Impact{"objects": 0, "bytes": 0} },
				Refused: []sdktest.Refused{none(map[string]any{"bucket": "no-such-bucket", "id": "old", "expire_days": 1})},
			},
			{
				Name: "heal", Args: bucket, Class: schema.Idempotent,
				Setup: func(t testing.TB) {
					filled(t)
					lose(t, l.bucket, "bars/1")
				},
				Did: func(_ testing.TB, result map[string]any) schema.Impact {
					return schema.Impact{"objects": int64(result["healed"].(int))}
				},
				Refused: []sdktest.Refused{none(missing)},
			},
		},
	})
}
