# Rehearsals of dvc_from_git_history.hcl: `runbook test runbooks/`.

variables = { minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.minio" { holds = true }
mock "check.dvc_bucket" { holds = true }
mock "check.dvc_idle" { holds = true }
mock "check.git_at_rest" { holds = true }

mock "git.log" {
  returns = {
    commits = [
      { commit = "ccc", subject = "Data of March" },
      { commit = "bbb", subject = "Data of February" },
    ]
  }
}

mock "git.in_sync" {
  returns = { ahead = 0, behind = 0 }
}

mock "git.diff" {}
mock "git.status" {}

mock "dvc.status" {
  returns = { stages = [] }
}

mock "dvc.remote_status" {
  returns = { to_fetch = { objects = 0 } }
}

mock "dvc.file_hash" {}

mock "git.checkout_paths" {
  impact = { files = 3, changes = 0 }
}
mock "dvc.fetch" {}
mock "dvc.checkout" {
  impact = { files = 3, changes = 0 }
}
mock "git.commit" {}
mock "git.push" {}

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "pointers_move_only_to_a_version_that_is_whole" {
  assert  = !step.pointers.acted || step.last_good.status == "satisfied"
  message = "pointers were changed, and a whole version was ${step.last_good.status}"
}

invariant "files_are_put_back_after_the_data_has_come" {
  assert = !step.files.acted || contains(["done", "satisfied"], step.fetch.status)
}

invariant "nothing_is_pushed_that_was_not_put_back" {
  assert = !step.push.acted || contains(["done", "satisfied"], step.files.status)
}

test "a_present_version_that_is_whole_is_left_alone" {
  expect {
    outcome = "succeeded"
    status = {
      "step.ready"           = "satisfied"
      "step.history"         = "done"
      "step.looked[\"ccc\"]" = "done"
      "step.looked[\"bbb\"]" = "done"
      "step.last_good"       = "satisfied"
      "step.pointers"        = "satisfied"
      "step.fetch"           = "satisfied"
      "step.files"           = "satisfied"
      "step.commit"          = "satisfied"
      "step.push"            = "satisfied"
      "step.proof"           = "done"
    }
    calls = { "git.checkout_paths" = 0, "git.commit" = 0, "git.push" = 0 }
  }
}

test "the_newest_version_that_minio_has_whole_is_taken" {
  approve = [step.pointers, step.files]
  mock "dvc.remote_status" {
    at      = step.looked["ccc"]
    returns = { ok = false, lost = { objects = 15 } }
  }
  mock "dvc.remote_status" {
    at      = step.fetch.goal.cache_has_it
    returns = { to_fetch = { objects = 11 } }
    after "dvc.fetch" {
      returns = { to_fetch = { objects = 0 } }
    }
  }
  mock "git.diff" {
    returns = { ok = false, files = 3 }
    after "git.checkout_paths" {
      returns = { ok = true, files = 0 }
    }
  }
  mock "git.diff" {
    at      = step.push.goal.of_that_version
    returns = { ok = false, files = 3 }
    after "git.commit" {
      returns = { ok = true, files = 0 }
    }
  }
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "data/macro.dvc", outputs = { macro = "deleted" } }] }
    after "dvc.checkout" {
      returns = { stages = [] }
    }
  }
  mock "git.status" {
    at      = step.commit.goal.committed
    returns = { ok = false, staged = ["dvc.lock"] }
    after "git.commit" {
      returns = { ok = true }
    }
  }
  mock "git.in_sync" {
    at      = step.push.goal.origin_has_it
    returns = { ok = false, ahead = 1, behind = 0 }
    after "git.push" {
      returns = { ok = true, ahead = 0, behind = 0 }
    }
  }
  expect {
    outcome = "succeeded"
    status = {
      "step.pointers" = "done"
      "step.fetch"    = "done"
      "step.files"    = "done"
      "step.commit"   = "done"
      "step.push"     = "done"
      "step.proof"    = "done"
    }
    order = [step.pointers, step.fetch, step.files, step.commit, step.push]
  }
}

test "no_version_is_whole" {
  mock "dvc.remote_status" {
    returns = { ok = false, lost = { objects = 15 } }
  }
  expect {
    outcome    = "blocked"
    status     = { "step.last_good" = "blocked", "step.pointers" = "not_run" }
    blocked_by = step.last_good.precondition.found
    message    = "MinIO has none of the last 2 versions whole"
    calls      = { "git.checkout_paths" = 0 }
  }
}

test "a_repository_without_data_has_nothing_to_go_back_to" {
  mock "git.log" {
    returns = { ok = false, commits = [] }
  }
  expect {
    outcome = "blocked"
    status  = { "step.looked" = "not_run", "step.last_good" = "blocked" }
  }
}

test "what_is_in_the_way_blocks" {
  mock "check.minio" { holds = false }
  mock "check.dvc_bucket" { holds = false }
  mock "check.dvc_idle" { holds = false }
  mock "check.git_at_rest" { holds = false }
  mock "git.in_sync" {
    returns = { ok = false, ahead = 0, behind = 2 }
  }
  expect {
    outcome = "blocked"
    status  = { "step.ready" = "blocked", "step.history" = "not_run" }
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
    status  = { "step.ready" = "blocked", "step.history" = "not_run" }
  }
}

test "history_cannot_be_read" {
  mock "git.log" { fails = "git_error" }
  expect {
    outcome = "blocked"
    status  = { "step.history" = "blocked", "step.pointers" = "not_run" }
  }
}

test "a_version_cannot_be_looked_for" {
  mock "dvc.remote_status" {
    at    = step.looked["bbb"]
    fails = "timeout"
  }
  expect {
    outcome = "blocked"
    status  = { "step.looked[\"bbb\"]" = "blocked", "step.pointers" = "not_run" }
  }
}

test "pointers_fails" {
  approve = [step.pointers]
  mock "git.diff" {
    at      = step.pointers.goal.of_that_version
    returns = { ok = false, files = 3 }
  }
  mock "git.checkout_paths" {
    at    = step.pointers
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.pointers" = "failed", "step.fetch" = "not_run" }
    message = "connection_lost"
  }
}

test "pointers_ends_well_and_mends_nothing" {
  approve = [step.pointers]
  mock "git.diff" {
    at      = step.pointers.goal.of_that_version
    returns = { ok = false, files = 3 }
  }
  expect {
    outcome = "failed"
    status  = { "step.pointers" = "failed", "step.fetch" = "not_run" }
  }
}

test "pointers_cannot_be_looked_at" {
  approve = [step.pointers]
  mock "git.diff" {
    at    = step.pointers.goal.of_that_version
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.pointers" = "failed", "step.fetch" = "not_run" }
  }
}

test "fetch_fails" {
  mock "dvc.remote_status" {
    at      = step.fetch.goal.cache_has_it
    returns = { ok = true, to_fetch = { objects = 4 } }
  }
  mock "dvc.fetch" {
    at    = step.fetch
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.files" = "not_run" }
    message = "connection_lost"
  }
}

test "fetch_ends_well_and_mends_nothing" {
  mock "dvc.remote_status" {
    at      = step.fetch.goal.cache_has_it
    returns = { ok = true, to_fetch = { objects = 4 } }
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.files" = "not_run" }
  }
}

test "fetch_cannot_be_looked_at" {
  mock "dvc.remote_status" {
    at    = step.fetch.goal.cache_has_it
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.files" = "not_run" }
  }
}

test "files_fails" {
  approve = [step.files]
  mock "dvc.status" {
    at      = step.files.goal.as_recorded
    returns = { ok = false, stages = [{ stage = "data/macro.dvc", outputs = { macro = "deleted" } }] }
  }
  mock "dvc.checkout" {
    at    = step.files
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.commit" = "not_run" }
    message = "connection_lost"
  }
}

test "files_ends_well_and_mends_nothing" {
  approve = [step.files]
  mock "dvc.status" {
    at      = step.files.goal.as_recorded
    returns = { ok = false, stages = [{ stage = "data/macro.dvc", outputs = { macro = "deleted" } }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.commit" = "not_run" }
  }
}

test "files_cannot_be_looked_at" {
  approve = [step.files]
  mock "dvc.status" {
    at    = step.files.goal.as_recorded
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.commit" = "not_run" }
  }
}

test "commit_fails" {
  mock "git.status" {
    at      = step.commit.goal.committed
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
    at      = step.commit.goal.committed
    returns = { ok = false }
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "commit_cannot_be_looked_at" {
  mock "git.status" {
    at    = step.commit.goal.committed
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

test "files_with_pointers_that_change_again" {
  approve = [step.files]
  mock "git.diff" {
    at      = step.files.goal.of_that_version
    returns = { ok = false, files = 1 }
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.commit" = "not_run" }
  }
}

test "files_with_pointers_that_cannot_be_looked_at" {
  approve = [step.files]
  mock "git.diff" {
    at    = step.files.goal.of_that_version
    fails = "git_error"
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.commit" = "not_run" }
  }
}

test "commit_with_pointers_that_change_again" {
  mock "git.diff" {
    at      = step.commit.goal.of_that_version
    returns = { ok = false, files = 1 }
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "commit_with_pointers_that_cannot_be_looked_at" {
  mock "git.diff" {
    at    = step.commit.goal.of_that_version
    fails = "git_error"
  }
  expect {
    outcome = "failed"
    status  = { "step.commit" = "failed", "step.push" = "not_run" }
  }
}

test "push_with_pointers_that_change_again" {
  mock "git.diff" {
    at      = step.push.goal.of_that_version
    returns = { ok = false, files = 1 }
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "push_with_pointers_that_cannot_be_looked_at" {
  mock "git.diff" {
    at    = step.push.goal.of_that_version
    fails = "git_error"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.proof" = "not_run" }
  }
}

test "a_dataset_that_is_not_of_that_version_is_no_success" {
  mock "dvc.file_hash" {
    returns = { ok = false }
  }
  mock "dvc.remote_status" {
    at      = step.proof.verify.minio
    returns = { ok = false }
  }
  expect {
    outcome = "failed"
    status  = { "step.proof" = "failed" }
  }
}

test "a_dataset_that_cannot_be_looked_at_is_no_success" {
  mock "dvc.file_hash" { fails = "timeout" }
  mock "dvc.remote_status" {
    at    = step.proof.verify.minio
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.proof" = "failed" }
  }
}
