package git_test

import (
	"os/exec"
	"testing"
)

// conflicting is a git command that ends in a conflict.
func conflicting(t *testing.T, r *room, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Else", "-c", "user.email=else@example.com"}, args...)...)
	cmd.Dir = r.here
	if said, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("git %v ended well:\n%s", args, said)
	}
}
