package dvc_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkRemoteStatus compares the probe with `dvc status --cloud` where a
// tenth of 10,000 objects is not pushed yet: both must say the same, and the probe
// must be at least five times as fast. It runs in a process that is there already,
// as it does in the engine; DVC has to start.
func BenchmarkRemoteStatus(b *testing.B) {
	for _, kind := range []string{"folder", "s3"} {
		r, keys := newRoom(b), ""
		if kind == "s3" {
			r.overS3()
			keys = "AWS_ACCESS_KEY_ID=" + server.AccessKey + " AWS_SECRET_ACCESS_KEY=" + server.SecretKey + " "
		}
		r.many(10_000, 1_000)
		b.Run(kind, func(b *testing.B) {
			var got map[string]any
			for b.Loop() {
				got = done(b, r.Probe("remote_status", nil))
			}
			b.StopTimer()
			ours := b.Elapsed() / time.Duration(b.N)
			// The list of the folder is one more.
			equal(b, []int{10_001, 9_000, 1_001, 0}, n(got, "all", "present", "to_push", "lost"))

			theirs := time.Duration(1<<63 - 1)
			for range 3 {
				began := time.Now()
				out := r.sh(keys + "dvc status --cloud --remote minio --json 2>/dev/null")
				theirs = min(theirs, time.Since(began))
				var said map[string]string
				if err := json.Unmarshal([]byte(out), &said); err != nil {
					b.Fatalf("%v: %.200s", err, out)
				}
				words := map[string]int{}
				for _, word := range said {
					words[word]++
				}
				equal(b, map[string]int{"new": 1_001}, words)
			}
			b.ReportMetric(float64(theirs.Milliseconds()), "dvc-ms")
			times := float64(theirs) / float64(ours)
			b.ReportMetric(times, "times-as-fast")
			if times < 5 {
				b.Errorf("the probe took %s, and dvc status %s: only %.1f times as long", ours, theirs, times)
			}
		})
	}
}

// many replaces what is tracked by a folder of so many files, of which some are
// not in the remote, as dvc add and dvc push would leave it.
func (r *room) many(files, unpushed int) {
	r.t.Helper()
	check := func(err error) {
		if err != nil {
			r.t.Fatal(err)
		}
	}
	type entry struct {
		MD5  string `json:"md5"`
		Path string `json:"relpath"`
	}
	var list []entry
	size := 0
	put := func(root, hash, text string) {
		check(os.MkdirAll(filepath.Dir(object(root, hash)), 0o777))
		check(os.WriteFile(object(root, hash), []byte(text), 0o444))
	}
	pushed := filepath.Join(r.dir, "pushed") // what of the cache is in the remote
	for i := range files {
		text := fmt.Sprintf("file %d\n", i)
		size += len(text)
		hash := md5(text)
		list = append(list, entry{hash, fmt.Sprintf("%05d.txt", i)})
		put(r.cache(), hash, text)
		if i >= unpushed {
			put(pushed, hash, text)
		}
	}
	text, err := json.Marshal(list)
	check(err)
	spaced := strings.NewReplacer(`":"`, `": "`, `","`, `", "`, `},{`, `}, {`).Replace(string(text)) // as DVC writes it
	put(r.cache(), md5(spaced)+".dir", spaced)
	r.sh("git rm -q --cached data/raw.csv.dvc data/dir.dvc dvc.yaml dvc.lock && rm -r data dvc.yaml dvc.lock ../minio")
	r.write("many.dvc", fmt.Sprintf("outs:\n- md5: %s.dir\n  size: %d\n  nfiles: %d\n  hash: md5\n  path: many\n", md5(spaced), size, files))
	if bucket, ok := strings.CutPrefix(r.remoteURL(), "s3://"); ok {
		server.MC(r.t, "cp", "--quiet", "--recursive", pushed+"/", "test/"+bucket+"/")
		return
	}
	check(os.Rename(pushed, r.minio))
}

func (r *room) remoteURL() string {
	return done(r.t, r.Probe("remotes", nil))["remotes"].([]any)[0].(map[string]any)["url"].(string)
}
