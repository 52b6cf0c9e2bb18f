package git

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// mark is how refs and reflogs name the work done under an idempotency key.
func mark(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// backup keeps some files as they are in the work tree: a commit on top of HEAD,
// which nothing but its ref leads to. Where the same work was begun before, the
// ref is there already and stays: it holds the files from before that.
func (r *repository) backup(ctx context.Context, key, head string, paths []string) (string, error) {
	ref := "refs/runbook/backup/" + mark(key)
	if kept, err := r.ref(ctx, ref); err != nil || kept != "" {
		return ref, err
	}
	commit := head
	if len(paths) > 0 || head == "" {
		var err error
		if commit, err = r.snapshot(ctx, head, paths); err != nil {
			return "", err
		}
	}
	// Of two that make it at once, one fails.
	_, err := r.run(ctx, "update-ref", "-m", "runbook: backup", ref, commit, "")
	return ref, err
}

// snapshot is a commit like HEAD, but with these files as the work tree has
// them; its second parent holds what is staged.
func (r *repository) snapshot(ctx context.Context, head string, paths []string) (string, error) {
	folder, err := os.MkdirTemp("", "runbook-git-")
	if err != nil {
		return "", fmt.Errorf("make a folder for an index: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	staged, err := r.line(ctx, "write-tree")
	if err != nil {
		return "", err
	}
	aside := *r
	aside.env = append(append([]string(nil), r.env...), "GIT_INDEX_FILE="+filepath.Join(folder, "index"))
	start := []string{"read-tree", "--empty"}
	if head != "" {
		start = []string{"read-tree", head}
	}
	if _, err := aside.run(ctx, start...); err != nil {
		return "", err
	}
	if _, err := aside.feed(ctx, strings.Join(paths, "\x00")+"\x00", nil, "update-index", "--add", "--remove", "-z", "--stdin"); err != nil {
		return "", err
	}
	tree, err := aside.line(ctx, "write-tree")
	if err != nil {
		return "", err
	}
	aside.env = append(aside.env, "GIT_AUTHOR_NAME=runbook", "GIT_AUTHOR_EMAIL=runbook@localhost", "GIT_COMMITTER_NAME=runbook", "GIT_COMMITTER_EMAIL=runbook@localhost")
	var parents []string
	if head != "" {
		parents = []string{"-p", head}
	}
	index, err := aside.line(ctx, append([]string{"commit-tree", staged, "-m", "What was staged before runbook put files back"}, parents...)...)
	if err != nil {
		return "", err
	}
	commit, err := aside.line(ctx, append([]string{"commit-tree", tree, "-m", "Files as they were before runbook put them back"}, append(parents, "-p", index)...)...)
	if err == nil && commit == "" {
		err = sdk.Fail("git_error", "git commit-tree named no commit")
	}
	return commit, err
}
