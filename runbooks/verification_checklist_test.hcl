# Rehearsals of verification_checklist.hcl: `runbook test runbooks/`.

variables = { postgres_password = "not-used", minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.bars" { holds = true }
mock "check.features" { holds = true }
mock "check.inference" { holds = true }
mock "check.pipeline" { holds = true }
mock "check.dvc_remote" { holds = true }
mock "check.experiments" { holds = true }
mock "check.runs" { holds = true }
mock "check.champion" { holds = true }
mock "check.predictions" { holds = true }
mock "check.services" { holds = true }

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "a_success_has_seen_all_six_lines" {
  assert = run.outcome != "succeeded" || alltrue([
    for status in [step.bars.status, step.features.status, step.datasets.status, step.models.status, step.predictions.status, step.services.status] : status == "done"
  ])
}

test "all_six_hold" {
  expect {
    outcome = "succeeded"
    status = {
      "step.bars"        = "done"
      "step.features"    = "done"
      "step.datasets"    = "done"
      "step.models"      = "done"
      "step.predictions" = "done"
      "step.services"    = "done"
    }
  }
}

test "bars_fails" {
  mock "check.bars" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.bars" = "failed", "step.services" = "done" }
  }
}

test "bars_cannot_be_looked_at" {
  mock "check.bars" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.bars" = "failed", "step.services" = "done" }
  }
}

test "features_fails" {
  mock "check.features" { holds = false }
  mock "check.inference" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.features" = "failed", "step.bars" = "done" }
  }
}

test "features_cannot_be_looked_at" {
  mock "check.features" { status = "errors" }
  mock "check.inference" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.features" = "failed", "step.bars" = "done" }
  }
}

test "datasets_fails" {
  mock "check.pipeline" { holds = false }
  mock "check.dvc_remote" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.datasets" = "failed", "step.bars" = "done" }
  }
}

test "datasets_cannot_be_looked_at" {
  mock "check.pipeline" { status = "errors" }
  mock "check.dvc_remote" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.datasets" = "failed", "step.bars" = "done" }
  }
}

test "models_fails" {
  mock "check.experiments" { holds = false }
  mock "check.runs" { holds = false }
  mock "check.champion" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.models" = "failed", "step.bars" = "done" }
  }
}

test "models_cannot_be_looked_at" {
  mock "check.experiments" { status = "errors" }
  mock "check.runs" { status = "errors" }
  mock "check.champion" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.models" = "failed", "step.bars" = "done" }
  }
}

test "predictions_fails" {
  mock "check.predictions" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.predictions" = "failed", "step.bars" = "done" }
  }
}

test "predictions_cannot_be_looked_at" {
  mock "check.predictions" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.predictions" = "failed", "step.bars" = "done" }
  }
}

test "services_fails" {
  mock "check.services" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.services" = "failed", "step.bars" = "done" }
  }
}

test "services_cannot_be_looked_at" {
  mock "check.services" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.services" = "failed", "step.bars" = "done" }
  }
}
