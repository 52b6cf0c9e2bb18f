package dvc_test

import (
	"context"
	"os"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
)

// What a stage says is not what DVC says: it has run by then, whatever its words.
func TestStageThatSpeaksLikeDVC(t *testing.T) {
	r := newRoom(t)
	for _, words := range []string{"validation failed for 3 rows", "Unable to acquire lock"} {
		r.sh(`git checkout -q dvc.yaml; sed -i "s|cat data.*|echo '` + words + `' >\&2; exit 1|" dvc.yaml`)
		r.write("model.bin", "old\n")
		fails(t, r.Act("repro", map[string]any{"effects": []any{}}), schema.FailedPartial, "stage_failed", "train")
		if _, err := os.Stat(r.repo + "/model.bin"); err == nil {
			t.Error("DVC deletes the outputs first, and model.bin is still there: nothing is proved")
		}
	}
}

// Of an object that was sent to S3, and whose receipt nobody heard of, nobody
// knows.
func TestUploadThatIsNotAnswered(t *testing.T) {
	r := newRoom(t)
	bucket := r.overS3()
	done(t, r.Act("push", nil))
	name := "dvc storage/files/md5/" + r.one[:2] + "/" + r.one[2:]
	if err := server.Client(t).RemoveObject(t.Context(), bucket, name, minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	r.pointAt("s3://"+bucket+"/dvc storage", backendtest.Proxy(t, server.Address(), backendtest.Cut{When: "PUT /", Forward: true}))
	repair := map[string]any{"repair": true}
	fails(t, r.Act("push", repair), schema.Unknown, "connection_lost")
	if _, there := bucketHolds(t, bucket)[r.one[:2]+"/"+r.one[2:]]; !there {
		t.Error("the object did not arrive: nothing is proved")
	}
	equal(t, 0, done(t, r.Act("push", repair))["objects"])
}

// A look that was cut off has not seen that anything is missing.
func TestLookThatIsCutOff(t *testing.T) {
	r := newRoom(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dvc.Expand(ctx, r.cache(), r.list); err == nil {
		t.Error("the list of a folder counts as missing, and nobody has looked")
	}
}
