package dvc

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// try is one dvc command, however it ends. Log tells whether its words go to the
// step's log.
func (r *repository) try(ctx context.Context, log bool, args ...string) (program.Ended, error) {
	if err := r.free(); err != nil {
		return program.Ended{}, sdk.Clean(err)
	}
	folder, err := os.MkdirTemp("", "runbook-dvc-") // 0700
	if err != nil {
		return program.Ended{}, sdk.Clean(fmt.Errorf("make a folder for DVC's configuration: %w", err))
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := r.configureDVC(folder); err != nil {
		return program.Ended{}, sdk.Clean(err)
	}
	env := []string{
		"LC_ALL=C", "PYTHONUTF8=1", "PYTHONDONTWRITEBYTECODE=1", "NO_COLOR=1", "DVC_NO_ANALYTICS=1", "GIT_TERMINAL_PROMPT=0",
		"DVC_GLOBAL_CONFIG_DIR=" + folder, "DVC_SYSTEM_CONFIG_DIR=" + folder,
	}
	for name, value := range r.config.Env {
		env = append(env, name+"="+value)
	}
	p := program.Program{
		Argv: []string{r.config.DVC}, Argument: "dvc", Remedy: "set dvc to the program of the environment that DVC is installed in",
		Env: env, Dir: r.dir, Cut: "dvc was at " + args[0],
	}
	if log {
		p.Log = func(line string) { r.call.Logf("%s", line) }
	}
	return p.Run(ctx, r.call, args...)
}

// run is one dvc command that has to exit 0, which is no proof of anything yet.
func (r *repository) run(ctx context.Context, log bool, args ...string) ([]byte, error) {
	ended, err := r.try(ctx, log, args...)
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, dvcFailure(args[0], ended)
	}
	return ended.Stdout, nil
}

// configureDVC writes the configuration that takes the place of the user's and
// the machine's: no reports home, and the keys of the remotes.
func (r *repository) configureDVC(folder string) error {
	text := "[core]\n    analytics = false\n    check_update = false\n"
	for remote, key := range r.config.Credentials {
		where := r.settings.remotes[remote]["url"]
		if !strings.HasPrefix(where, "s3://") {
			continue
		}
		// DVC knows by the url that a remote may have keys.
		text += fmt.Sprintf("['remote \"%s\"']\n    url = %s\n    access_key_id = '%s'\n    secret_access_key = '%s'\n", remote, where, key.AccessKey, key.SecretKey)
		if key.SessionToken != "" {
			text += fmt.Sprintf("    session_token = '%s'\n", key.SessionToken)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write DVC's configuration: %w", err)
	}
	return nil
}

// reason is one way in which DVC fails, told by what it prints: it has no codes
// of its own.
type reason struct{ says, code, remedy string }

func reasons() []reason {
	return []reason{
		{"Unable to acquire lock", "lock_held", "wait until the other DVC command has ended: dvc.lock_held tells"},
		{"without confirmation", "workspace_changed", "save the changes with dvc commit, or set force to lose them"},
		{"validation failed", "invalid_dvc_file", "mend the file that DVC names"},
		{"configuration error", "invalid_config", "mend .dvc/config; where a remote has just changed its kind, commit the file first: DVC reads the last commit's too"},
		{"is git-ignored", "invalid_dvc_file", "take the file out of .gitignore"},
		{"failed to reproduce", "stage_failed", "see the step's log for what the stage said"},
		{"Checkout failed", "cache_missing", "dvc.pull first: the cache does not hold it all"},
		{"does not exist as an output or a stage", "no_such_target", "dvc stage list shows what there is"},
		{"doesn't exist", "no_such_target", "dvc stage list shows what there is"},
		{"not found inside 'dvc.yaml'", "no_such_target", "dvc stage list shows what there is"},
		{"No space left on device", "disk_full", "make room, then try again"},
		{"failed to push", "transfer_failed", "see the step's log, and dvc.remote_status for what is missing"},
		{"failed to fetch", "transfer_failed", "see the step's log, and dvc.remote_status for what is missing"},
		{"failed to pull", "transfer_failed", "see the step's log, and dvc.remote_status for what is missing"},
		{"unexpected error", "dvc_error", "see the step's log"},
	}
}

// dvcFailure types a command that exited with another code than 0.
func dvcFailure(command string, ended program.Ended) *schema.Failure {
	f := sdk.Fail("dvc_error", "dvc %s exited %d", command, ended.Code)
	f.Remedy = "see the step's log"
	if line := telling(ended.Stderr); line != "" {
		f.Message = fmt.Sprintf("dvc %s: %s", command, line)
	}
	for _, known := range reasons() {
		if strings.Contains(ended.Stderr, known.says) {
			f.Code, f.Remedy, f.Retryable = known.code, known.remedy, known.code == "lock_held"
			break
		}
	}
	return f
}

// telling is the line of DVC's words that says what went wrong.
func telling(said string) string {
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, "ERROR: "); ok {
			return strings.TrimSpace(text)
		}
		if strings.Contains(line, "validation failed") {
			return strings.TrimSpace(line)
		}
	}
	return program.Last(said)
}
