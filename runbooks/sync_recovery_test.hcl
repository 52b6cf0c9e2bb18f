# Rehearsals of sync_recovery.hcl: `runbook test runbooks/`. What the called
# runbooks do in detail is rehearsed in their own files.

variables = { postgres_password = "not-used", minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.postgres" { holds = true }
mock "check.redis" { holds = true }
mock "check.minio" { holds = true }
mock "check.mlflow" { holds = true }
mock "check.dvc_bucket" { holds = true }
mock "check.mlflow_bucket" { holds = true }
mock "check.dvc_idle" { holds = true }
mock "check.git_at_rest" { holds = true }
mock "check.bars" { holds = true }
mock "check.inference" { holds = true }
mock "check.experiments" { holds = true }
mock "check.runs" { holds = true }
mock "check.champion" { holds = true }
mock "check.predictions" { holds = true }
mock "check.services" { holds = true }

# Datasets and pointers.
mock "dvc.status" {
  returns = { stages = [] }
}
mock "dvc.remote_status" {
  returns = { to_fetch = { objects = 0 }, lost = { objects = 0 } }
}
mock "dvc.file_hash" {}
mock "dvc.fetch" {}
mock "dvc.push" {
  impact = { objects = 3, bytes = 48 }
}
mock "dvc.checkout" {
  impact = { files = 1, changes = 0 }
}
mock "dvc.repro" {
  impact = { stages = 1 }
}
mock "git.status" {
  returns = { staged = [], changed = [], untracked = [] }
}
mock "git.in_sync" {
  returns = { ahead = 0, behind = 0 }
}
mock "git.add" {
  impact = { files = 1 }
}
mock "git.commit" {}
mock "git.push" {}

# Features.
mock "feast.registry" {
  returns = { feature_views = ["technical_features"] }
}
mock "feast.freshness" {
  returns = { age_seconds = 42, missing = 0 }
}
mock "feast.apply" {}
mock "feast.materialize" {}
mock "feast.materialize_incremental" {}

# Models.
mock "mlflow.experiments" {
  returns = { experiments = [{ experiment_id = "0" }] }
}
mock "mlflow.runs" {
  returns = { runs = [{ run_id = "a1" }] }
}
mock "mlflow.run_artifacts" {
  returns = {
    files   = [{ path = "metrics.json" }]
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
invariant "whatever_failed_the_checklist_was_looked_at" {
  assert  = run.outcome == "waiting" || contains(["done", "failed"], step.checklist.status)
  message = "the checklist is ${step.checklist.status}"
}

invariant "a_success_has_a_checklist_that_holds" {
  assert = run.outcome != "succeeded" || step.checklist.status == "done"
}

invariant "pointers_are_left_alone_while_their_data_are_not_there" {
  assert = calls["git.push"] == 0 || contains(["done", "satisfied"], step.datasets.status)
}

invariant "features_do_not_wait_for_datasets" {
  assert = run.outcome == "waiting" || startswith(fault.step, "step.features") || step.postgres.status != "satisfied" || step.redis.status != "satisfied" || contains(["done", "satisfied", "failed"], step.features.status)
}

test "healthy_has_nothing_to_do" {
  expect {
    outcome = "succeeded"
    status = {
      "step.postgres"  = "satisfied"
      "step.redis"     = "satisfied"
      "step.minio"     = "satisfied"
      "step.mlflow"    = "satisfied"
      "step.datasets"  = "done"
      "step.features"  = "done"
      "step.models"    = "done"
      "step.pointers"  = "done"
      "step.checklist" = "done"
    }
    calls = { "dvc.fetch" = 0, "dvc.push" = 0, "feast.materialize" = 0, "git.push" = 0, "mlflow.upload_artifacts" = 0 }
  }
}

test "broken_in_four_places" {
  mock "dvc.remote_status" {
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 0 } }
    after "dvc.push" {
      returns = { ok = true, to_fetch = { objects = 0 }, lost = { objects = 0 } }
    }
  }
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize_incremental" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "mlflow.run_artifacts" {
    at      = step.models.step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
    after "mlflow.upload_artifacts" {
      returns = { files = [{ path = "metrics.json" }], models = [], missing = [] }
    }
  }
  mock "git.status" {
    at      = step.pointers.step.stage.goal.all_is_staged
    returns = { ok = false, changed = [], untracked = ["data/news.csv.dvc"] }
    after "git.add" {
      returns = { ok = false, changed = [], untracked = [] }
    }
  }
  mock "git.status" {
    at      = step.pointers.step.commit.goal.all_is_committed
    returns = { ok = false }
    after "git.commit" {
      returns = { ok = true }
    }
  }
  mock "git.in_sync" {
    at      = step.pointers.step.push.goal.origin_has_it
    returns = { ok = false, ahead = 1, behind = 0 }
    after "git.push" {
      returns = { ok = true, ahead = 0, behind = 0 }
    }
  }
  expect {
    outcome = "succeeded"
    status = {
      "step.datasets"                      = "done"
      "step.datasets.step.push"            = "done"
      "step.features.step.materialize"     = "done"
      "step.models.step.artifacts[\"a1\"]" = "done"
      "step.pointers.step.push"            = "done"
      "step.checklist"                     = "done"
    }
    calls = { "dvc.push" = 1, "feast.materialize_incremental" = 1, "mlflow.upload_artifacts" = 1, "git.commit" = 1, "git.push" = 1 }
    order = [step.datasets.step.push, step.pointers.step.commit, step.pointers.step.push]
  }
}

# All else is mended, and the checklist says which line does not hold.
test "one_branch_beyond_repair" {
  variables = { team_webhook = "https://chat.example/hooks/team", emergency_webhook = "https://page.example/hooks/lead" }
  mock "http.request" {}
  mock "dvc.remote_status" {
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 15 } }
  }
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize_incremental" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  expect {
    outcome = "failed"
    status = {
      "step.datasets"                = "failed"
      "step.features"                = "done"
      "step.models"                  = "done"
      "step.pointers"                = "not_run"
      "step.checklist"               = "failed"
      "step.checklist.step.datasets" = "failed"
      "step.checklist.step.features" = "done"
      "step.checklist.step.models"   = "done"
    }
    calls = { "feast.materialize_incremental" = 1, "http.request" = 2 }
  }
}

test "stores_that_do_not_answer_hold_back_what_needs_them" {
  mock "check.postgres" { holds = false }
  mock "check.redis" { holds = false }
  mock "check.minio" { holds = false }
  mock "check.dvc_bucket" { holds = false }
  mock "check.mlflow_bucket" { holds = false }
  mock "check.mlflow" { holds = false }
  expect {
    status = { "step.postgres" = "blocked", "step.redis" = "blocked", "step.minio" = "blocked", "step.mlflow" = "blocked", "step.datasets" = "not_run", "step.features" = "not_run", "step.models" = "not_run", "step.pointers" = "not_run", "step.checklist" = "done" }
  }
}

test "stores_that_cannot_be_looked_at_hold_back_what_needs_them" {
  mock "check.postgres" { status = "errors" }
  mock "check.redis" { status = "errors" }
  mock "check.minio" { status = "errors" }
  mock "check.dvc_bucket" { status = "errors" }
  mock "check.mlflow_bucket" { status = "errors" }
  mock "check.mlflow" { status = "errors" }
  expect {
    status = { "step.postgres" = "blocked", "step.redis" = "blocked", "step.minio" = "blocked", "step.mlflow" = "blocked", "step.datasets" = "not_run", "step.features" = "not_run", "step.models" = "not_run", "step.pointers" = "not_run", "step.checklist" = "done" }
  }
}

test "redis_alone_holds_back_features_alone" {
  mock "check.redis" { holds = false }
  expect {
    status = { "step.redis" = "blocked", "step.features" = "not_run", "step.datasets" = "done", "step.models" = "done", "step.pointers" = "done", "step.checklist" = "done" }
  }
}

test "features_cannot_be_mended" {
  mock "feast.freshness" {
    at      = step.features.step.materialize.goal.online_store_is_fresh
    returns = { age_seconds = 90000, missing = 0 }
  }
  expect {
    outcome = "failed"
    status  = { "step.datasets" = "done", "step.models" = "done", "step.pointers" = "done", "step.features" = "failed" }
  }
}

test "models_cannot_be_mended" {
  mock "mlflow.run_artifacts" {
    at      = step.models.step.artifacts.goal.complete
    returns = { ok = false, files = [], models = [], missing = ["metrics.json"] }
  }
  expect {
    outcome = "failed"
    status  = { "step.datasets" = "done", "step.features" = "done", "step.pointers" = "done", "step.models" = "failed" }
  }
}

test "pointers_cannot_be_mended" {
  mock "git.in_sync" {
    at      = step.pointers.step.push.goal.origin_has_it
    returns = { ok = false, ahead = 1, behind = 0 }
  }
  expect {
    outcome = "failed"
    status  = { "step.datasets" = "done", "step.features" = "done", "step.models" = "done", "step.pointers" = "failed" }
  }
}
