package minio_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	s3 "github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/minio"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var server *backendtest.MinIO

func TestMain(m *testing.M) {
	sdktest.Serve(minio.Provider)
	backendtest.Main(m, backendtest.WithMinIO(&server, 4))
}

const day = 24 * time.Hour

// lab is one test's bucket, a client, and a provider.
type lab struct {
	*sdktest.Harness
	client *s3.Client
	bucket string
}

func newLab(t *testing.T) lab {
	t.Helper()
	return lab{harness(t, nil), server.Client(t), server.Bucket(t)}
}

func harness(t *testing.T, overrides map[string]any) *sdktest.Harness {
	t.Helper()
	config := map[string]any{"endpoint": "http://" + server.Address(), "access_key": server.AccessKey, "secret_key": server.SecretKey, "alias": "test"}
	maps.Copy(config, overrides)
	return sdktest.New(t, minio.Provider(), config)
}

// here is the test server as effects name it.
func here(rest string) string {
	return fmt.Sprintf("s3://%s:%d%s", sdk.EffectHost("localhost"), server.Port, rest)
}

// put writes an object as somebody else would.
func (l lab) put(t testing.TB, bucket, key, text string) {
	t.Helper()
	if _, err := l.client.PutObject(t.Context(), bucket, key, strings.NewReader(text), int64(len(text)), s3.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

// old writes an object of a certain age, as replication would.
func (l lab) old(t testing.TB, bucket, key, text string, age time.Duration) {
	t.Helper()
	options := s3.PutObjectOptions{Internal: s3.AdvancedPutOptions{SourceMTime: time.Now().Add(-age), ReplicationRequest: true}}
	if _, err := l.client.PutObject(t.Context(), bucket, key, strings.NewReader(text), int64(len(text)), options); err != nil {
		t.Error(err)
	}
}

// parts writes an object of two parts, whose ETag is no MD5.
func (l lab) parts(t *testing.T, bucket, key string) []byte {
	t.Helper()
	content := bytes.Repeat([]byte("0123456789abcdef"), 6<<16) // 6 MiB
	options := s3.PutObjectOptions{PartSize: 5 << 20}
	if _, err := l.client.PutObject(t.Context(), bucket, key, bytes.NewReader(content), int64(len(content)), options); err != nil {
		t.Fatal(err)
	}
	return content
}

// held is what a bucket holds: contents by name.
func (l lab) held(t *testing.T, bucket string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for object := range l.client.ListObjectsIter(t.Context(), bucket, s3.ListObjectsOptions{Recursive: true}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		body, err := l.client.GetObject(t.Context(), bucket, object.Key, s3.GetObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := text.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
		found[object.Key] = text.String()
	}
	return found
}

// versions is how many versions and markers a bucket holds.
func (l lab) versions(t *testing.T, bucket string) int {
	t.Helper()
	n := 0
	for object := range l.client.ListObjectsIter(t.Context(), bucket, s3.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		n++
	}
	return n
}

// stored is how many bytes the drives hold of a bucket.
func stored(t *testing.T, bucket string) int64 {
	t.Helper()
	var n int64
	for _, drive := range server.Drives {
		err := filepath.Walk(filepath.Join(drive, bucket), func(_ string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() {
				n += info.Size()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// files is what a folder holds.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func writeFile(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// done is the result of an outcome that must be done, without fields that no
// test can foresee.
func done(t *testing.T, outcome schema.Outcome, without ...string) map[string]any {
	t.Helper()
	if outcome.State != schema.Done {
		t.Fatalf("state %s: %v", outcome.State, outcome.Failure)
	}
	result := sdktest.Go(t, outcome.Result).(map[string]any)
	for _, name := range append(without, "duration_seconds") {
		delete(result, name)
	}
	return result
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// wantEnd is what a test expects of a failed operation.
type wantEnd struct {
	State schema.State
	Code  string
}

// fails checks state and code, and that the message holds every part.
func fails(t *testing.T, want wantEnd, outcome schema.Outcome, parts ...string) {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	if got := (wantEnd{outcome.State, outcome.Failure.Code}); got != want {
		t.Errorf("want %v, got %v: %v", want, got, outcome.Failure)
	}
	for _, part := range parts {
		if !strings.Contains(outcome.Failure.Message, part) {
			t.Errorf("the message %q lacks %q", outcome.Failure.Message, part)
		}
	}
}

func place(bucket, prefix string) map[string]any {
	return map[string]any{"bucket": bucket, "prefix": prefix}
}

func directory(path string) map[string]any { return map[string]any{"directory": path} }
