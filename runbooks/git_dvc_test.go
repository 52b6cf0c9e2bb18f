package runbooks_test

var pointerTrials = []trial{
	{
		runbook: "git_dvc", scenario: "dvc-pointers-untracked", rooms: []string{"dvc"},
		planned: map[string]string{"data": "run", "stage": "run (tentative)", "commit": "run (tentative)", "push": "run (tentative)", "proof": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "git_dvc", scenario: "dvc-lock-dirty", rooms: []string{"dvc"},
		planned: map[string]string{"repro": "run", "data": "run (tentative)", "stage": "run (tentative)", "commit": "run (tentative)", "push": "run (tentative)", "proof": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "git_dvc", scenario: "pipeline-not-reproducible", rooms: []string{"dvc"},
		planned: map[string]string{"repro": "run", "data": "run (tentative)", "stage": "run (tentative)", "commit": "run (tentative)", "push": "run (tentative)", "proof": "run (tentative)"},
		look:    cloneHasData,
	},
	{
		runbook: "git_dvc", scenario: "pointers-without-data", rooms: []string{"dvc"},
		planned: map[string]string{"data": "run", "proof": "run (tentative)"},
		look:    cloneHasData,
	},
}
