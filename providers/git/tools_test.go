package git_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

// What git itself lists is what the previews count.
func TestPreviewsAgreeWithGit(t *testing.T) {
	r := newRoom(t)
	for i := range 4 {
		r.elsewhere(fmt.Sprintf("feature/%d.txt", i), "new\n")
	}
	r.elsewhere("dvc.lock", "three\n")
	pull := r.Preview("pull", nil).Impact
	twin := r.theirs // it has what the remote has
	commits := r.git(twin, "rev-list", "--count", r.last+"..origin/main")
	files := r.git(twin, "diff", "--name-only", r.last, "origin/main")
	equal(t, commits, fmt.Sprint(pull["commits"]))
	equal(t, int64(len(strings.Fields(files))), pull["files"])

	done(t, r.Act("pull", nil))
	for i := range 3 {
		r.write(r.here, "mine.txt", strings.Repeat("x\n", i+1))
		r.git(r.here, "add", "--all")
		r.git(r.here, "commit", "--quiet", "-m", "mine")
	}
	said := r.git(r.here, "push", "--dry-run", "--porcelain", "origin", "HEAD")
	_, span, _ := strings.Cut(said, ":refs/heads/main\t")
	span, _, _ = strings.Cut(span, "\n")
	equal(t, schema.Impact{"commits": 3, "files": 1}, r.Preview("push", nil).Impact)
	equal(t, "3", r.git(r.here, "rev-list", "--count", span))
}
