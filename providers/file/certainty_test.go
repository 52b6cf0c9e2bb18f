package file_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

// What backup_to names may be the only copy of something else.
func TestBackupIsNeverWrittenOver(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	put(t, dir+"/mode", "second\n", day)
	put(t, dir+"/from", "third\n", day)
	put(t, dir+"/before", "first\n", day)
	held1 := held(t, dir)
	for name, args := range map[string]map[string]any{
		"write": {"path": dir + "/mode", "content": "third\n", "overwrite": true, "backup_to": dir + "/before"},
		"copy":  {"from": dir + "/from", "to": dir + "/mode", "overwrite": true, "backup_to": dir + "/before"},
	} {
		if f := h.Preview(name, args).Failure; f == nil || f.Code != "backup_exists" || f.Remedy == "" {
			t.Errorf("the preview of %s says %v", name, f)
		}
		fails(t, "failed_clean backup_exists", h.Act(name, args), dir+"/before")
		equal(t, held1, held(t, dir))
	}
	// One that holds the same already, as after an attempt that was cut off, will do.
	put(t, dir+"/before", "second\n", day)
	done(t, h.Act("write", map[string]any{"path": dir + "/mode", "content": "third\n", "overwrite": true, "backup_to": dir + "/before"}))
	equal(t, map[string]string{"mode": "third\n", "from": "third\n", "before": "second\n"}, held(t, dir))
}

// A failure is clean only where nothing was made, neither a folder nor a backup.
func TestFailureAfterSomethingWasMade(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	long := strings.Repeat("x", 240) // fits, and its unfinished file does not
	fails(t, "failed_clean file_error", h.Act("write", map[string]any{"path": filepath.Join(dir, long), "content": ""}))
	fails(t, "failed_partial file_error", h.Act("write", map[string]any{"path": filepath.Join(dir, "new", "below", long), "content": ""}), "after making folders")
	put(t, filepath.Join(dir, long), "old", day)
	o := h.Act("write", map[string]any{"path": filepath.Join(dir, long), "content": "new", "overwrite": true, "backup_to": filepath.Join(dir, "kept")})
	fails(t, string(schema.FailedPartial)+" file_error", o, "kept")
	equal(t, map[string]string{long: "old", "kept": "old"}, held(t, dir))
}
