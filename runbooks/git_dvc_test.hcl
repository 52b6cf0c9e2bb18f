# Rehearsals of git_dvc.hcl: `runbook test runbooks/`.

variables = { minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.minio" { holds = true }
mock "check.dvc_bucket" { holds = true }
mock "check.dvc_idle" { holds = true }

mock "git.status" {
  returns = { operation = "", conflicts = [], staged = [], changed = [], untracked = [] }
}

mock "git.in_sync" {
  returns = { ahead = 0, behind = 0 }
}

mock "dvc.status" {
  returns = { stages = [] }
}

mock "dvc.remote_status" {}

mock "dvc.repro" {
  impact = { stages = 1 }
}
mock "dvc.push" {
  impact = { objects = 1, bytes = 100 }
}
mock "git.add" {
  impact = { files = 1 }
}
mock "git.commit" {}
mock "git.push" {}

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "data_goes_before_what_points_to_it" {
  assert  = !step.commit.acted && !step.push.acted || contains(["done", "satisfied"], step.data.status)
  message = "a pointer was committed or pushed, and its data were ${step.data.status}"
}

invariant "nothing_is_committed_of_a_pipeline_that_did_not_run" {
  assert = !step.commit.acted || contains(["done", "satisfied"], step.repro.status)
}

invariant "a_success_has_looked_at_the_remotes" {
  assert = run.outcome != "succeeded" || step.proof.status == "done"
}

test "healthy_has_nothing_to_do" {
  expect {
    outcome = "succeeded"
    status = {
      "step.ready"  = "satisfied"
      "step.repro"  = "satisfied"
      "step.data"   = "satisfied"
      "step.stage"  = "satisfied"
      "step.commit" = "satisfied"
      "step.push"   = "satisfied"
      "step.proof"  = "done"
    }
    calls = { "dvc.repro" = 0, "dvc.push" = 0, "git.commit" = 0, "git.push" = 0 }
  }
}

test "a_dirty_pipeline_is_run_pushed_committed_and_pushed" {
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
    after "dvc.repro" {
      returns = { stages = [] }
    }
  }
  mock "dvc.remote_status" {
    returns = { ok = false }
    after "dvc.push" {
      returns = { ok = true }
    }
  }
  mock "git.status" {
    at      = step.stage.goal.all_is_staged
    returns = { ok = false, changed = ["dvc.lock"], untracked = [] }
    after "git.add" {
      returns = { ok = false, changed = [], untracked = [], staged = ["dvc.lock"] }
    }
  }
  mock "git.status" {
    at      = step.commit.goal.all_is_committed
    returns = { ok = false, changed = ["dvc.lock"], untracked = [] }
    after "git.commit" {
      returns = { ok = true }
    }
  }
  mock "git.in_sync" {
    at      = step.push.goal.origin_has_it
    returns = { ok = true, ahead = 0, behind = 0 }
    after "git.commit" {
      returns = { ok = false, ahead = 1, behind = 0 }
    }
    after "git.push" {
      returns = { ok = true, ahead = 0, behind = 0 }
    }
  }
  mock "git.status" {
    at      = step.commit.precondition.nothing_else_is_staged
    returns = { staged = ["dvc.lock", "data/macro.dvc", "data/.gitignore"] }
  }
  mock "git.commit" {
    returns = { head = "a878ab5f63" }
  }
  expect {
    outcome = "succeeded"
    status = {
      "step.repro"  = "done"
      "step.data"   = "done"
      "step.stage"  = "done"
      "step.commit" = "done"
      "step.push"   = "done"
      "step.proof"  = "done"
    }
    order = [step.repro, step.data, step.stage, step.commit, step.push]
  }
}

test "what_is_in_the_way_blocks" {
  mock "check.minio" { holds = false }
  mock "check.dvc_bucket" { holds = false }
  mock "check.dvc_idle" { holds = false }
  mock "check.git_at_rest" { holds = false }
  mock "git.in_sync" {
    returns = { ok = false, ahead = 1, behind = 2, diverged = true }
  }
  expect {
    outcome = "blocked"
    status  = { "step.ready" = "blocked", "step.repro" = "not_run" }
  }
}

test "what_cannot_be_looked_at_blocks" {
  mock "check.minio" { status = "errors" }
  mock "check.dvc_bucket" { status = "errors" }
  mock "check.dvc_idle" { status = "errors" }
  mock "check.git_at_rest" { status = "errors" }
  mock "git.in_sync" { fails = "timeout" }
  expect {
    outcome = "blocked"
    status  = { "step.ready" = "blocked", "step.repro" = "not_run" }
  }
}

test "files_that_nobody_recorded_are_no_input" {
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "data/macro.dvc", outputs = { macro = "modified" } }] }
  }
  expect {
    outcome    = "blocked"
    status     = { "step.repro" = "blocked", "step.commit" = "not_run" }
    blocked_by = step.repro.precondition.inputs_are_recorded
    calls      = { "dvc.repro" = 0 }
  }
}

test "inputs_that_cannot_be_looked_at_block" {
  mock "dvc.status" {
    at      = step.repro.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [] }
  }
  mock "dvc.status" {
    at    = step.repro.precondition.inputs_are_recorded
    fails = "timeout"
  }
  expect {
    outcome = "blocked"
    status  = { "step.repro" = "blocked", "step.commit" = "not_run" }
  }
}

test "what_somebody_else_has_staged_is_not_committed" {
  mock "git.status" {
    at      = step.commit.goal.all_is_committed
    returns = { ok = false }
  }
  mock "git.status" {
    at      = step.commit.precondition.nothing_else_is_staged
    returns = { staged = ["dvc.lock", "train.py"] }
  }
  expect {
    outcome    = "blocked"
    status     = { "step.commit" = "blocked", "step.push" = "not_run" }
    blocked_by = step.commit.precondition.nothing_else_is_staged
    calls      = { "git.commit" = 0, "git.push" = 0 }
  }
}

test "what_is_staged_cannot_be_looked_at" {
  mock "git.status" {
    at      = step.commit.goal.all_is_committed
    returns = { ok = false }
  }
  mock "git.status" {
    at    = step.commit.precondition.nothing_else_is_staged
    fails = "git_error"
  }
  expect {
    outcome = "blocked"
    status  = { "step.commit" = "blocked", "step.push" = "not_run" }
  }
}

test "repro_fails" {
  mock "dvc.status" {
    at      = step.repro.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  mock "dvc.repro" {
    at    = step.repro
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.repro" = "failed", "step.data" = "not_run" }
    message = "connection_lost"
  }
}

test "repro_ends_well_and_mends_nothing" {
  mock "dvc.status" {
    at      = step.repro.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.repro" = "failed", "step.data" = "not_run" }
  }
}

test "repro_cannot_be_looked_at" {
  mock "dvc.status" {
    at    = step.repro.goal.pipeline_is_as_locked
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.repro" = "failed", "step.data" = "not_run" }
  }
}

test "data_fails" {
  mock "dvc.remote_status" {
    at      = step.data.goal.minio_has_all
    returns = { ok = false }
  }
  mock "dvc.push" {
    at    = step.data
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.data" = "failed", "step.stage" = "not_run" }
    message = "connection_lost"
  }
}

test "data_ends_well_and_mends_nothing" {
  mock "dvc.remote_status" {
    at      = step.data.goal.minio_has_all
    returns = { ok = false }
  }
  expect {
    outcome = "failed"
    status  = { "step.data" = "failed", "step.stage" = "not_run" }
  }
}

test "data_cannot_be_looked_at" {
  mock "dvc.remote_status" {
    at    = step.data.goal.minio_has_all
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.data" = "failed", "step.stage" = "not_run" }
  }
}

test "stage_fails" {
  mock "git.status" {
    at      = step.stage.goal.all_is_staged
    returns = { ok = false, changed = ["dvc.lock"], untracked = [] }
  }
  mock "git.add" {
    at    = step.stage
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.stage" = "failed", "step.commit" = "not_run" }
    message = "connection_lost"
  }
}

test "stage_ends_well_and_mends_nothing" {
  mock "git.status" {
    at      = step.stage.goal.all_is_staged
    returns = { ok = false, changed = ["dvc.lock"], untracked = [] }
  }
  expect {
    outcome = "failed"
    status  = { "step.stage" = "failed", "step.commit" = "not_run" }
  }
}

test "stage_cannot_be_looked_at" {
  mock "git.status" {
    at    = step.stage.goal.all_is_staged
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.stage" = "failed", "step.commit" = "not_run" }
  }
}

test "commit_fails" {
  mock "git.status" {
    at      = step.commit.goal.all_is_committed
    returns = { ok = false }
  }
  mock "git.commit" {
    at    = step.commit
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
    message = "connection_lost"
  }
}

test "commit_ends_well_and_mends_nothing" {
  mock "git.status" {
    at      = step.commit.goal.all_is_committed
    returns = { ok = false }
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "commit_cannot_be_looked_at" {
  mock "git.status" {
    at    = step.commit.goal.all_is_committed
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "push_fails" {
  mock "git.in_sync" {
    at      = step.push.goal.origin_has_it
    returns = { ok = false, ahead = 1, behind = 0 }
  }
  mock "git.push" {
    at    = step.push
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
    message = "connection_lost"
  }
}

test "push_ends_well_and_mends_nothing" {
  mock "git.in_sync" {
    at      = step.push.goal.origin_has_it
    returns = { ok = false, ahead = 1, behind = 0 }
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "push_cannot_be_looked_at" {
  mock "git.in_sync" {
    at    = step.push.goal.origin_has_it
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "data_of_a_pipeline_that_changes_again" {
  mock "dvc.status" {
    at      = step.data.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.data" = "failed", "step.stage" = "not_run" }
  }
}

test "data_of_a_pipeline_that_cannot_be_looked_at" {
  mock "dvc.status" {
    at    = step.data.goal.pipeline_is_as_locked
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.data" = "failed", "step.stage" = "not_run" }
  }
}

test "stage_of_a_pipeline_that_changes_again" {
  mock "dvc.status" {
    at      = step.stage.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.stage" = "failed", "step.commit" = "not_run" }
  }
}

test "stage_of_a_pipeline_that_cannot_be_looked_at" {
  mock "dvc.status" {
    at    = step.stage.goal.pipeline_is_as_locked
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.stage" = "failed", "step.commit" = "not_run" }
  }
}

test "commit_of_a_pipeline_that_changes_again" {
  mock "dvc.status" {
    at      = step.commit.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "commit_of_a_pipeline_that_cannot_be_looked_at" {
  mock "dvc.status" {
    at    = step.commit.goal.pipeline_is_as_locked
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "push_of_a_pipeline_that_changes_again" {
  mock "dvc.status" {
    at      = step.push.goal.pipeline_is_as_locked
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "push_of_a_pipeline_that_cannot_be_looked_at" {
  mock "dvc.status" {
    at    = step.push.goal.pipeline_is_as_locked
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "push_of_pointers_that_change_again" {
  mock "git.status" {
    at      = step.push.goal.all_is_committed
    returns = { ok = false, changed = ["dvc.lock"] }
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "push_of_pointers_that_cannot_be_looked_at" {
  mock "git.status" {
    at    = step.push.goal.all_is_committed
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "a_remote_without_the_data_is_no_success" {
  mock "git.in_sync" {
    at      = step.proof.verify.in_sync
    returns = { ok = false, ahead = 0, behind = 1 }
  }
  mock "dvc.remote_status" {
    at      = step.proof.verify.data
    returns = { ok = false }
  }
  expect {
    outcome = "failed"
    status  = { "step.proof" = "failed" }
  }
}

test "remotes_that_cannot_be_looked_at_are_no_success" {
  mock "git.in_sync" {
    at    = step.proof.verify.in_sync
    fails = "timeout"
  }
  mock "dvc.remote_status" {
    at    = step.proof.verify.data
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.proof" = "failed" }
  }
}
