package runbooks_test

import "testing"

var historyTrials = []trial{
	{
		runbook: "dvc_from_git_history", scenario: "dvc-version-lost", rooms: []string{"dvc"},
		planned: map[string]string{"pointers": "run", "files": "run (tentative)", "commit": "run (tentative)", "push": "run (tentative)", "proof": "run (tentative)"},
		look:    isOfFebruary,
	},
}

// isOfFebruary clones what is on the git remote: it is the version before the one
// that is lost, as a new commit on top of it, and MinIO has its data.
func isOfFebruary(t *testing.T) {
	t.Helper()
	cloneHasData(t)
	repo := shared.values["DVC_REPO"]
	scratch(t, repo, nil, "git", "diff", "--quiet", "good-2026-02", "origin/main")
	if parent := scratch(t, repo, nil, "git", "rev-parse", "origin/main^"); parent != scratch(t, repo, nil, "git", "rev-parse", "good-2026-03") {
		t.Errorf("origin/main is on top of %s", parent)
	}
}
