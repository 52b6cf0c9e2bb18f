package runbooks_test

var checklistTrials = []trial{{
	runbook: "verification_checklist", scenario: "inference-down", rooms: []string{"inference"},
	planned: map[string]string{"bars": "run", "features": "run", "datasets": "run", "models": "run", "predictions": "run", "services": "run"},
	code:    1, said: "connection refused",
}}
