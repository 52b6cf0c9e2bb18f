package runbooks_test

import (
	"os/exec"
	"strings"
	"testing"
)

var datasetTrials = []trial{
	{
		runbook: "dvc_to_minio", scenario: "dvc-data-lost", rooms: []string{"dvc"},
		planned: map[string]string{"backup": "run", "push": "run (tentative)", "files": "run (tentative)", "dataset": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "dvc_to_minio", scenario: "dvc-remote-incomplete", rooms: []string{"dvc"},
		planned: map[string]string{"push": "run", "dataset": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "dvc_to_minio", scenario: "dvc-remote-damaged", rooms: []string{"dvc"},
		planned: map[string]string{"push": "run", "dataset": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "dvc_to_minio", scenario: "dvc-file-changed", rooms: []string{"dvc"},
		planned: map[string]string{"files": "run", "dataset": "run (tentative)"},
		approve: []string{"step.files"},
		look:    cloneHasData,
	},
	{
		runbook: "dvc_to_minio", scenario: "dvc-wrong-version", rooms: []string{"dvc"},
		planned: map[string]string{"files": "run", "dataset": "run (tentative)"},
		approve: []string{"step.files"},
		look:    cloneHasData,
	},
	{
		runbook: "dvc_to_minio", scenario: "dvc-version-lost", rooms: []string{"dvc"},
		planned: map[string]string{"backup": "blocked", "push": "blocked", "files": "blocked", "dataset": "blocked"},
		code:    3, said: "this version of the data is lost",
	},
	{
		runbook: "dvc_to_minio", scenario: "minio-down", rooms: []string{"minio", "dvc"},
		planned: map[string]string{"stores": "blocked", "fetch": "blocked", "backup": "blocked", "push": "blocked", "files": "blocked", "dataset": "blocked"},
		code:    3, said: "${MINIO_ENDPOINT}",
	},
}

// What files hold and nobody else has is lost only where a person has seen it.
func TestChangedFilesWaitForAPerson(t *testing.T) {
	labDo(t, "reset", "dvc")
	labDo(t, "break", "dvc-file-changed")
	changesNothing(t, func() {
		r := runbook(t, "apply", "dvc_to_minio.hcl", "--auto-approve")
		if r.code != 4 {
			t.Errorf("exit %d, want 4\n%s%s", r.code, r.stdout, r.stderr)
		}
		if !strings.Contains(r.stdout+r.stderr, "RL_DS3_MACRO_CORE.csv (changes are lost)") {
			t.Errorf("what would be lost is not shown:\n%s%s", r.stdout, r.stderr)
		}
	})
	if r := runbook(t, "approve", "last", "step.files"); r.code != 0 {
		t.Fatalf("approve: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := runbook(t, "resume", "last"); r.code != 0 {
		t.Fatalf("resume: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	cloneHasData(t)
}

// `dvc pull -r minio || dvc pull -r s3_backup` goes to the backup where the keys
// are wrong, and tells nobody.
func TestWrongKeysBlock(t *testing.T) {
	labDo(t, "reset", "dvc")
	labDo(t, "break", "dvc-data-lost")
	changesNothing(t, func() {
		cmd := exec.CommandContext(t.Context(), shared.program, "apply", "dvc_to_minio.hcl", "--auto-approve")
		cmd.Env = append(shared.env, "MINIO_SECRET_KEY=wrong-secret-key", "BACKUP_ACCESS_KEY="+shared.values["MINIO_ACCESS_KEY"], "BACKUP_SECRET_KEY="+shared.values["MINIO_SECRET_KEY"])
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("%v, want exit 3\n%s", err, out)
		}
		if !strings.Contains(string(out), "correct access_key and secret_key") {
			t.Errorf("the keys are not named:\n%s", out)
		}
	})
}

// changesNothing compares all that the lab holds before and after.
func changesNothing(t *testing.T, do func()) {
	t.Helper()
	before, after := t.TempDir(), t.TempDir()
	labDo(t, "dump", before)
	do()
	labDo(t, "dump", after)
	if out, err := exec.Command("diff", "-r", before, after).CombinedOutput(); err != nil {
		t.Errorf("something was changed:\n%s", out)
	}
}
