package minio_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// MinIO's own tool finds as much that is missing, and as much that is old.
func TestPreviewsAgreeWithMC(t *testing.T) {
	l := newLab(t)
	target := server.Bucket(t)
	for i := range 25 {
		l.put(t, l.bucket, fmt.Sprintf("bars/%02d.csv", i), strings.Repeat("x", 100+i))
		if i%5 == 0 {
			l.put(t, target, fmt.Sprintf("bars/%02d.csv", i), strings.Repeat("x", 100+i))
		}
	}
	missing := strings.Count(server.MC(t, "diff", "test/"+l.bucket, "test/"+target), "< ")
	bytes := mcSize(t, l.bucket) - mcSize(t, target) // all that the one has, the other has alike
	equal(t, impact(int64(missing), bytes, 0, 0), l.Preview("mirror", map[string]any{"from": place(l.bucket, ""), "to": place(target, "")}).Impact)

	for i := range 12 {
		l.old(t, l.bucket, fmt.Sprintf("old/%02d", i), "x", time.Duration(i)*20*day+time.Hour)
	}
	for days := range 5 {
		age := fmt.Sprintf("%dd", 45*days+1)
		found := strings.Fields(server.MC(t, "find", filepath.Join("test", l.bucket, "old"), "--older-than", age))
		args := map[string]any{"bucket": l.bucket, "prefix": "old/", "age": fmt.Sprintf("%dh", 24*(45*days+1))}
		equal(t, int64(len(found)), l.Preview("remove_older_than", args).Impact["objects"])
	}
}

// mcSize is how many bytes a bucket holds.
func mcSize(t *testing.T, bucket string) int64 {
	t.Helper()
	var said struct{ Size int64 }
	if text := server.MC(t, "du", "--json", "test/"+bucket); json.Unmarshal([]byte(text), &said) != nil {
		t.Fatal(text)
	}
	return said.Size
}
