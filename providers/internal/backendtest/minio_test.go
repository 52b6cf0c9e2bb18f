package backendtest

import (
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
)

// A restarted server still holds what it held.
func TestMinIOOutlivesAPowerCut(t *testing.T) {
	server, err := StartMinIO(4)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	bucket := server.Bucket(t)
	body := strings.Repeat("bars ", 1000)
	if _, err := server.Client(t).PutObject(t.Context(), bucket, "bars.csv", strings.NewReader(body), -1, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	server.Restart(t)
	if got := server.MC(t, "cat", "test/"+bucket+"/bars.csv"); got != body {
		t.Errorf("after a restart the object holds %d bytes, not %d", len(got), len(body))
	}
}
