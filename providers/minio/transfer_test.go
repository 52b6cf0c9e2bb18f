package minio_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	s3 "github.com/minio/minio-go/v7"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func impact(objects, bytes, overwritten, removed int64) schema.Impact {
	return schema.Impact{"objects": objects, "bytes": bytes, "overwritten": overwritten, "removed": removed}
}

func copied(objects, bytes, overwritten, removed, unchanged int) map[string]any {
	return map[string]any{"ok": true, "objects": objects, "bytes": bytes, "overwritten": overwritten, "removed": removed, "unchanged": unchanged}
}

func TestMirrorBucketToDirectory(t *testing.T) {
	l := newLab(t)
	content := map[string]string{"USDCOP/M5/2025/04/01.csv": "one", "USDCOP/M5/2025/04/02.csv": "two", "top": "", "ünïcode & space.csv": "three"}
	for key, text := range content {
		l.put(t, l.bucket, key, text)
	}
	content["large.bin"] = string(l.parts(t, l.bucket, "large.bin"))
	dir := filepath.Join(t.TempDir(), "backups", "minio")
	args := map[string]any{"from": place(l.bucket, ""), "to": directory(dir)}
	total := int64(11 + 6<<20)

	preview := l.Preview("mirror", args)
	equal(t, impact(5, total, 0, 0), preview.Impact)
	equal(t, []any{false, "+ USDCOP/M5/2025/04/01.csv"}, []any{preview.Destructive, preview.Sample[0]})
	if _, err := os.Stat(dir); err == nil {
		t.Error("the preview made the folder")
	}
	equal(t, copied(5, int(total), 0, 0, 0), done(t, l.Act("mirror", args), "summary"))
	equal(t, content, files(t, dir))

	// Again: nothing is copied, the object in parts is recognised by its content.
	equal(t, impact(0, 0, 0, 0), l.Preview("mirror", args).Impact)
	equal(t, copied(0, 0, 0, 0, 5), done(t, l.Act("mirror", args), "summary"))

	// Another content of the same length is another content.
	writeFile(t, dir, "USDCOP/M5/2025/04/01.csv", "uno")
	writeFile(t, dir, "stray.csv", "x")
	fails(t, wantEnd{"failed_clean", "would_overwrite"}, l.Act("mirror", args), "1 object of 5", "such as USDCOP/M5/2025/04/01.csv")
	args["overwrite"], args["remove"] = true, true
	preview = l.Preview("mirror", args)
	equal(t, impact(1, 3, 1, 1), preview.Impact)
	equal(t, []any{true, "- stray.csv", "~ USDCOP/M5/2025/04/01.csv"}, []any{preview.Destructive, preview.Sample[0], preview.Sample[1]})
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("mirror", args, sdktest.Limit("removed", 0)), "it would be 1 removed, the limit is 0")
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("mirror", args, sdktest.Limit("overwritten", 0)))
	equal(t, copied(1, 3, 1, 1, 4), done(t, l.Act("mirror", args), "summary"))
	equal(t, content, files(t, dir))
}

func TestMirrorDirectoryToBucket(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	content := map[string]string{"models/model.pkl": "weights", "models/MLmodel": "flavors: {}", "README.md": "read me"}
	for name, text := range content {
		writeFile(t, dir, name, text)
	}
	l.put(t, l.bucket, "keep/stray", "x")
	l.put(t, l.bucket, "other", "x")
	args := map[string]any{"from": directory(dir), "to": place(l.bucket, "keep/"), "remove": true}
	equal(t, copied(3, 25, 0, 1, 0), done(t, l.Act("mirror", args), "summary"))
	equal(t, map[string]string{"keep/models/model.pkl": "weights", "keep/models/MLmodel": "flavors: {}", "keep/README.md": "read me", "other": "x"}, l.held(t, l.bucket))

	// A link would be missing in the copy, or bring what is not asked for.
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "passwd")); err != nil {
		t.Fatal(err)
	}
	fails(t, wantEnd{"failed_clean", "not_a_file"}, l.Act("mirror", args), "passwd is a link")
}

// An object above part_size goes in parts, and is verified by reading it.
func TestCopyInParts(t *testing.T) {
	l := newLab(t)
	twin := server.Bucket(t)
	content := l.parts(t, l.bucket, "large.bin")
	h := harness(t, map[string]any{"part_size": 5 << 20})
	args := map[string]any{"from": map[string]any{"bucket": l.bucket, "object": "large.bin"}, "to": place(twin, "archive/")}
	equal(t, copied(1, len(content), 0, 0, 0), done(t, h.Act("copy", args), "summary"))
	info, err := l.client.StatObject(t.Context(), twin, "archive/large.bin", s3.StatObjectOptions{})
	if err != nil || !strings.HasSuffix(info.ETag, "-2") {
		t.Errorf("%+v, %v", info.ETag, err)
	}
	equal(t, string(content), l.held(t, twin)["archive/large.bin"])
	equal(t, copied(0, 0, 0, 0, 1), done(t, h.Act("copy", args), "summary"))
	// In one piece it has another ETag and the same content.
	other := map[string]any{"from": args["from"], "to": place(twin, "single/")}
	done(t, l.Act("copy", other))
	equal(t, copied(0, 0, 0, 0, 1), done(t, l.Act("copy", map[string]any{"from": map[string]any{"bucket": twin, "object": "archive/large.bin"}, "to": place(twin, "single/")}), "summary"))
}

func TestCopyBetweenSites(t *testing.T) {
	l := newLab(t)
	archive, err := backendtest.StartMinIO(1)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Stop()
	there := archive.Bucket(t)
	options := s3.PutObjectOptions{ContentType: "text/csv", UserMetadata: map[string]string{"Pipeline": "l0"}, UserTags: map[string]string{"team": "data"}, CacheControl: "no-store"}
	if _, err := l.client.PutObject(t.Context(), l.bucket, "USDCOP/M5/2025/04/01.csv", strings.NewReader("bars"), 4, options); err != nil {
		t.Fatal(err)
	}
	l.put(t, l.bucket, "USDCOP/M5/2025/05/01.csv", "later")
	h := harness(t, map[string]any{
		"sites":       map[string]any{"archive": map[string]any{"endpoint": "http://" + archive.Address(), "access_key": archive.AccessKey}},
		"secret_keys": map[string]string{"archive": archive.SecretKey},
	})
	to := map[string]any{"bucket": there, "site": "archive"}
	args := map[string]any{"from": place(l.bucket, "USDCOP/M5/2025/04/"), "to": to}
	described := h.Describe("copy", args)
	equal(t, []schema.Effect{
		{Resource: here("/" + l.bucket + "/USDCOP/M5/2025/04"), Mode: schema.Read},
		{Resource: fmt.Sprintf("s3://%s:%d/%s", sdk.EffectHost("localhost"), archive.Port, there), Mode: schema.Write},
	}, described.Effects)
	equal(t, []string{"mc", "cp", "--recursive", "test/" + l.bucket + "/USDCOP/M5/2025/04/", "archive/" + there + "/"}, described.Command)
	equal(t, copied(1, 4, 0, 0, 0), done(t, h.Act("copy", args), "summary"))
	info, err := archive.Client(t).StatObject(t.Context(), there, "01.csv", s3.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, []any{"text/csv", "l0", 1, "no-store", int64(4)}, []any{info.ContentType, info.UserMetadata["Pipeline"], info.UserTagCount, info.Metadata.Get("Cache-Control"), info.Size})
}

func TestCopyOlderThan(t *testing.T) {
	l := newLab(t)
	archive := server.Bucket(t)
	l.old(t, l.bucket, "old", "old", 200*day)
	l.old(t, l.bucket, "new", "new", day)
	args := map[string]any{"from": place(l.bucket, ""), "to": place(archive, "raw/"), "older_than": old180}
	equal(t, schema.Impact{"objects": 1, "bytes": 3, "overwritten": 0}, l.Preview("copy", args).Impact)
	equal(t, copied(1, 3, 0, 0, 0), done(t, l.Act("copy", args), "summary"))
	equal(t, map[string]string{"raw/old": "old"}, l.held(t, archive))
}

// By the command that is shown, MinIO's own tool comes to the same.
func TestMirrorDoesWhatMCDoes(t *testing.T) {
	l := newLab(t)
	for i := range 12 {
		l.put(t, l.bucket, fmt.Sprintf("a/%d/b.csv", i), strings.Repeat("x", i))
	}
	for _, args := range []map[string]any{
		{"from": place(l.bucket, "")}, {"from": place(l.bucket, "a/1/")},
	} {
		for name, twin := range map[string]map[string]any{"mirror": {}, "copy": {}} {
			ours, theirs := t.TempDir(), t.TempDir()
			for k, v := range args {
				twin[k] = v
			}
			twin["to"] = directory(theirs)
			described := l.Describe(name, twin)
			server.MC(t, described.Command[1:]...)
			twin["to"] = directory(ours)
			done(t, l.Act(name, twin))
			equal(t, files(t, theirs), files(t, ours))
		}
	}
}

func TestMirrorRefuses(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	l.put(t, l.bucket, "a", "x")
	for name, test := range map[string]struct {
		args map[string]any
		code string
	}{
		"two directories":       {map[string]any{"from": directory(dir), "to": directory(dir + "/x")}, "invalid_argument"},
		"nothing":               {map[string]any{"from": map[string]any{}, "to": directory(dir)}, "invalid_argument"},
		"half a prefix":         {map[string]any{"from": place(l.bucket, "a"), "to": directory(dir)}, "invalid_argument"},
		"one within the other":  {map[string]any{"from": place(l.bucket, "a/"), "to": place(l.bucket, "")}, "invalid_argument"},
		"an unknown site":       {map[string]any{"from": map[string]any{"bucket": "a", "site": "moon"}, "to": directory(dir)}, "invalid_argument"},
		"a missing bucket":      {map[string]any{"from": place("no-such-bucket", ""), "to": directory(dir)}, "bucket_missing"},
		"a missing target":      {map[string]any{"from": place(l.bucket, ""), "to": place("no-such-bucket", "")}, "bucket_missing"},
		"a missing directory":   {map[string]any{"from": directory(dir + "/none"), "to": place(l.bucket, "")}, "file_missing"},
		"an empty source":       {map[string]any{"from": directory(dir), "to": place(l.bucket, ""), "remove": true}, "source_too_small"},
		"an empty part":         {map[string]any{"from": place(l.bucket, "none/"), "to": directory(dir), "remove": true}, "source_too_small"},
		"fewer than there were": {map[string]any{"from": place(l.bucket, ""), "to": directory(dir), "min_objects": 2}, "source_too_small"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, wantEnd{"failed_clean", test.code}, l.Act("mirror", test.args))
			if len(files(t, dir)) > 0 {
				t.Errorf("something was written: %v", files(t, dir))
			}
		})
	}
	fails(t, wantEnd{"failed_clean", "object_missing"}, l.Act("copy", map[string]any{"from": map[string]any{"bucket": l.bucket, "object": "none"}, "to": directory(dir)}))
}

// Somebody else's change between the look and the write is not written over.
func TestMirrorNeverWritesOverAChange(t *testing.T) {
	l := newLab(t)
	target := server.Bucket(t)
	l.put(t, l.bucket, "a", "mine")
	port := backendtest.Intercept(t, server.Address(), backendtest.Cut{When: "put /" + target}, func() { l.put(t, target, "a", "theirs") })
	h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
	fails(t, wantEnd{"failed_clean", "changed_meanwhile"}, h.Act("mirror", map[string]any{"from": place(l.bucket, ""), "to": place(target, "")}))
	equal(t, map[string]string{"a": "theirs"}, l.held(t, target))
}

func TestMirrorCutInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		cut  backendtest.Cut
		want wantEnd
	}{
		{backendtest.Cut{When: "get /"}, wantEnd{"failed_clean", "connection_lost"}},
		{backendtest.Cut{When: "put /"}, wantEnd{"unknown", "connection_lost"}},
		{backendtest.Cut{When: "put /", Forward: true}, wantEnd{"unknown", "connection_lost"}},
	} {
		l := newLab(t)
		dir := t.TempDir()
		for i := range 8 {
			writeFile(t, dir, fmt.Sprintf("%d", i), strings.Repeat("x", i))
		}
		port := backendtest.Proxy(t, server.Address(), test.cut)
		h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
		args := map[string]any{"from": directory(dir), "to": place(l.bucket, "")}
		fails(t, test.want, h.Act("mirror", args))
		done(t, h.Act("mirror", args)) // again is harmless
		equal(t, files(t, dir), l.held(t, l.bucket))
	}
}

// A cancelled upload in parts leaves none of them in the backend.
func TestCancelLeavesNoParts(t *testing.T) {
	l := newLab(t)
	target := server.Bucket(t)
	l.parts(t, l.bucket, "large.bin")
	ctx, cancel := context.WithCancel(t.Context())
	port := backendtest.Intercept(t, server.Address(), backendtest.Cut{When: "partnumber=2"}, cancel)
	h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port), "part_size": 5 << 20})
	outcome := h.Act("mirror", map[string]any{"from": place(l.bucket, ""), "to": place(target, "")}, sdktest.Context(ctx))
	fails(t, wantEnd{"unknown", "cancelled"}, outcome)
	for upload := range l.client.ListIncompleteUploads(t.Context(), target, "", true) {
		t.Errorf("left behind: %+v", upload)
	}
	equal(t, map[string]string{}, l.held(t, target))
}

func TestMirrorIsDescribed(t *testing.T) {
	h := harness(t, nil)
	args := map[string]any{"from": place("raw", ""), "to": directory("/backups/minio/raw"), "remove": true}
	equal(t, schema.Description{
		Effects:     []schema.Effect{{Resource: here("/raw"), Mode: schema.Read}, {Resource: "file:///backups/minio/raw", Mode: schema.Delete}},
		Destructive: true, Settling: schema.Idempotent, Summary: "mirrors raw to /backups/minio/raw",
		Command: []string{"mc", "mirror", "--remove", "test/raw/", "/backups/minio/raw/"},
	}, h.Describe("mirror", args))
	place := cty.Object(map[string]cty.Type{"bucket": cty.String, "prefix": cty.String, "object": cty.String, "site": cty.String, "directory": cty.String})
	args["to"] = cty.UnknownVal(place)
	if d := h.Describe("mirror", args); !d.Undeclared || !d.Destructive {
		t.Errorf("%+v", d)
	}
}

// A file that somebody writes to between look and copy is left as it is, as an
// object is.
func TestFileThatIsChangedMeanwhileStays(t *testing.T) {
	for name, test := range map[string]struct {
		before string // in the folder; empty: nothing
		args   map[string]any
		asked  string // object at whose request somebody writes
	}{
		"overwritten": {"old", map[string]any{"overwrite": true}, "a"},
		"new":         {"", nil, "a"},
		"removed":     {"old", map[string]any{"remove": true}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			l, dir := newLab(t), t.TempDir()
			if test.asked == "a" {
				l.put(t, l.bucket, "a", "from the bucket")
			}
			l.put(t, l.bucket, "b", "b")
			if test.before != "" {
				writeFile(t, dir, "a", test.before)
			}
			port := backendtest.Intercept(t, server.Address(), backendtest.Cut{When: "GET /" + l.bucket + "/" + test.asked}, func() { writeFile(t, dir, "a", "somebody else's") })
			args := map[string]any{"from": place(l.bucket, ""), "to": directory(dir)}
			maps.Copy(args, test.args)
			h := harness(t, map[string]any{"endpoint": fmt.Sprintf("http://127.0.0.1:%d", port)})
			if o := h.Act("mirror", args); o.Failure == nil || o.Failure.Code != "changed_meanwhile" {
				t.Errorf("%s: %v", o.State, o.Failure)
			}
			equal(t, "somebody else's", files(t, dir)["a"])
		})
	}
}
