# Rehearsals of mlflow_to_minio.hcl: `runbook test runbooks/`.

variables = { minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.mlflow" { holds = true }
mock "check.minio" { holds = true }
mock "check.mlflow_bucket" { holds = true }
mock "check.champion" { holds = true }

mock "mlflow.experiments" {
  returns = { experiments = [{ experiment_id = "0", name = "Default" }] }
}

mock "mlflow.runs" {
  returns = { runs = [{ run_id = "a1" }] }
}

mock "mlflow.run_artifacts" {
  returns = {
    files   = [{ path = "metrics.json", bytes = 20 }]
    models  = [{ model_id = "m-1", name = "policy", usable = true }]
    missing = []
  }
}

mock "file.directory" {
  returns = { files = 1, paths = ["metrics.json"] }
}

mock "mlflow.upload_artifacts" {
  impact = { files = 1, bytes = 20 }
}
mock "mlflow.log_model_files" {
  impact = { files = 1, bytes = 20 }
}

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "nothing_is_written_while_a_store_does_not_answer" {
  assert = step.ready.status == "satisfied" || calls["mlflow.upload_artifacts"] + calls["mlflow.log_model_files"] == 0
}

invariant "a_success_has_seen_the_champion" {
  assert = run.outcome != "succeeded" || step.champion.status == "done"
}

test "healthy_has_nothing_to_do" {
  expect {
    outcome = "succeeded"
    status = {
      "step.ready"                = "satisfied"
      "step.experiments"          = "done"
      "step.runs"                 = "done"
      "step.logged[\"a1\"]"       = "done"
      "step.kept_runs[\"a1\"]"    = "done"
      "step.kept_models[\"m-1\"]" = "done"
      "step.artifacts[\"a1\"]"    = "satisfied"
      "step.models[\"m-1\"]"      = "satisfied"
      "step.champion"             = "done"
    }
    calls = { "mlflow.upload_artifacts" = 0, "mlflow.log_model_files" = 0 }
  }
}

# The list of a run's artifacts is just empty where the bucket has lost them.
test "what_run_and_model_lack_is_put_back" {
  mock "mlflow.run_artifacts" {
    at      = step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["metrics.json", "policy/MLmodel"] }
    after "mlflow.upload_artifacts" {
      returns = { ok = false, files = [{ path = "metrics.json", bytes = 20 }], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
    }
  }
  mock "mlflow.run_artifacts" {
    at      = step.models.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
    after "mlflow.log_model_files" {
      returns = { files = [], models = [{ model_id = "m-1", name = "policy", usable = true }], missing = [] }
    }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.artifacts[\"a1\"]" = "done", "step.models[\"m-1\"]" = "done", "step.champion" = "done" }
    calls   = { "mlflow.upload_artifacts" = 1, "mlflow.log_model_files" = 1 }
    order   = [step.artifacts["a1"], step.models["m-1"]]
  }
}

test "no_runs_is_nothing_to_put_back" {
  mock "mlflow.runs" {
    returns = { runs = [] }
  }
  expect {
    outcome = "succeeded"
    status = {
      "step.logged"      = "skipped"
      "step.kept_runs"   = "skipped"
      "step.kept_models" = "skipped"
      "step.artifacts"   = "skipped"
      "step.models"      = "skipped"
    }
  }
}

test "nothing_is_begun_while_a_store_says_no" {
  mock "check.mlflow" { holds = false }
  mock "check.minio" { holds = false }
  mock "check.mlflow_bucket" { holds = false }
  expect {
    outcome = "blocked"
    status  = { "step.ready" = "blocked", "step.runs" = "not_run" }
  }
}

test "keys_that_minio_does_not_take_block" {
  mock "check.mlflow" { status = "errors" }
  mock "check.minio" { status = "errors" }
  mock "check.mlflow_bucket" { status = "errors" }
  expect {
    outcome = "blocked"
    status  = { "step.ready" = "blocked", "step.runs" = "not_run" }
  }
}

test "nobody_kept_a_copy_of_the_run" {
  mock "mlflow.run_artifacts" {
    at      = step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
  }
  mock "file.directory" {
    at      = step.artifacts.precondition.copy
    returns = { ok = false, summary = "runs/a1 does not exist" }
  }
  expect {
    outcome = "blocked"
    status  = { "step.artifacts[\"a1\"]" = "blocked", "step.models" = "not_run" }
    message = "run a1 lacks artifacts, and runs/a1 does not exist"
  }
}

test "nobody_kept_a_copy_of_the_model" {
  mock "mlflow.run_artifacts" {
    at      = step.models.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
  }
  mock "file.directory" {
    at      = step.models.precondition.copy
    returns = { ok = false, summary = "models/m-1 does not exist" }
  }
  expect {
    outcome = "blocked"
    status  = { "step.models[\"m-1\"]" = "blocked", "step.champion" = "not_run" }
    message = "model m-1 lacks files, and models/m-1 does not exist"
  }
}

test "a_copy_of_the_run_that_cannot_be_looked_at" {
  mock "mlflow.run_artifacts" {
    at      = step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
  }
  mock "file.directory" {
    at    = step.artifacts.precondition.copy
    fails = "permission_denied"
  }
  expect {
    outcome = "blocked"
    status  = { "step.artifacts[\"a1\"]" = "blocked", "step.models" = "not_run" }
  }
}

test "a_copy_of_the_model_that_cannot_be_looked_at" {
  mock "mlflow.run_artifacts" {
    at      = step.models.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
  }
  mock "file.directory" {
    at    = step.models.precondition.copy
    fails = "permission_denied"
  }
  expect {
    outcome = "blocked"
    status  = { "step.models[\"m-1\"]" = "blocked", "step.champion" = "not_run" }
  }
}

test "a_champion_that_cannot_be_loaded_is_no_success" {
  mock "check.champion" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.champion" = "failed" }
  }
}

test "a_champion_that_cannot_be_looked_at_is_no_success" {
  mock "check.champion" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.champion" = "failed" }
  }
}

test "artifacts_fails" {
  mock "mlflow.run_artifacts" {
    at      = step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
  }
  mock "mlflow.upload_artifacts" {
    at    = step.artifacts
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.artifacts[\"a1\"]" = "failed", "step.models" = "not_run" }
    message = "connection_lost"
  }
}

test "artifacts_ends_well_and_mends_nothing" {
  mock "mlflow.run_artifacts" {
    at      = step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
  }
  expect {
    outcome = "failed"
    status  = { "step.artifacts[\"a1\"]" = "failed", "step.models" = "not_run" }
  }
}

test "artifacts_cannot_be_looked_at" {
  mock "mlflow.run_artifacts" {
    at    = step.artifacts.goal.complete
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.artifacts[\"a1\"]" = "failed", "step.models" = "not_run" }
  }
}

test "models_fails" {
  mock "mlflow.run_artifacts" {
    at      = step.models.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
  }
  mock "mlflow.log_model_files" {
    at    = step.models
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.models[\"m-1\"]" = "failed", "step.champion" = "not_run" }
    message = "connection_lost"
  }
}

test "models_ends_well_and_mends_nothing" {
  mock "mlflow.run_artifacts" {
    at      = step.models.goal.complete
    returns = { ok = false, files = [], models = [{ model_id = "m-1", name = "policy", usable = false }], missing = ["policy/MLmodel"] }
  }
  expect {
    outcome = "failed"
    status  = { "step.models[\"m-1\"]" = "failed", "step.champion" = "not_run" }
  }
}

test "models_cannot_be_looked_at" {
  mock "mlflow.run_artifacts" {
    at    = step.models.goal.complete
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.models[\"m-1\"]" = "failed", "step.champion" = "not_run" }
  }
}

test "experiments_cannot_be_read" {
  mock "mlflow.experiments" {
    at    = step.experiments
    fails = "timeout"
  }
  expect {
    status = { "step.experiments" = "blocked", "step.runs" = "not_run" }
  }
}

test "runs_cannot_be_read" {
  mock "mlflow.runs" {
    at    = step.runs
    fails = "timeout"
  }
  expect {
    status = { "step.runs" = "blocked", "step.champion" = "not_run" }
  }
}

test "logged_cannot_be_read" {
  mock "mlflow.run_artifacts" {
    at    = step.logged
    fails = "timeout"
  }
  expect {
    status = { "step.logged[\"a1\"]" = "blocked", "step.champion" = "not_run" }
  }
}

test "kept_runs_cannot_be_read" {
  mock "file.directory" {
    at    = step.kept_runs
    fails = "timeout"
  }
  expect {
    status = { "step.kept_runs[\"a1\"]" = "blocked", "step.champion" = "not_run" }
  }
}

test "kept_models_cannot_be_read" {
  mock "file.directory" {
    at    = step.kept_models
    fails = "timeout"
  }
  expect {
    status = { "step.kept_models[\"m-1\"]" = "blocked", "step.champion" = "not_run" }
  }
}
