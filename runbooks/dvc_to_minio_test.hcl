# Rehearsals of dvc_to_minio.hcl: `runbook test runbooks/`.

variables = { minio_access_key = "key", minio_secret_key = "not-used" }

mock "check.minio" { holds = true }
mock "check.dvc_bucket" { holds = true }
mock "check.dvc_idle" { holds = true }

mock "dvc.status" {
  returns = { stages = [] }
}

mock "dvc.remote_status" {
  returns = { to_fetch = { objects = 0 }, lost = { objects = 0 } }
}

mock "dvc.file_hash" {}
mock "dvc.fetch" {}
mock "dvc.push" {
  impact = { objects = 1, bytes = 100 }
}
mock "dvc.checkout" {
  impact = { files = 1, changes = 0 }
}

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "nothing_is_done_with_keys_that_are_not_taken" {
  assert  = step.stores.status == "satisfied" || !step.fetch.acted && !step.backup.acted && !step.push.acted && !step.files.acted
  message = "something was done, and the stores were ${step.stores.status}"
}

# Files that cannot be made whole would be deleted.
invariant "files_are_put_back_after_the_data_has_come" {
  assert  = !step.files.acted || contains(["done", "satisfied"], step.fetch.status) && contains(["done", "satisfied"], step.backup.status)
  message = "files were put back, and the data: ${step.fetch.status}, ${step.backup.status}"
}

invariant "a_success_has_read_the_dataset" {
  assert = run.outcome != "succeeded" || step.dataset.status == "done"
}

test "healthy_has_nothing_to_do" {
  expect {
    outcome = "succeeded"
    status = {
      "step.stores"  = "satisfied"
      "step.fetch"   = "satisfied"
      "step.backup"  = "satisfied"
      "step.push"    = "satisfied"
      "step.files"   = "satisfied"
      "step.dataset" = "done"
    }
    calls = { "dvc.fetch" = 0, "dvc.push" = 0, "dvc.checkout" = 0 }
  }
}

test "what_minio_lost_is_pushed_from_the_cache" {
  mock "dvc.remote_status" {
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 0 }, to_push = { objects = 3 } }
    after "dvc.push" {
      returns = { to_fetch = { objects = 0 }, lost = { objects = 0 } }
    }
  }
  mock "dvc.push" {
    impact  = { objects = 3, bytes = 48 }
    returns = { objects = 3, repaired = 3 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.fetch" = "satisfied", "step.backup" = "satisfied", "step.push" = "done", "step.files" = "satisfied" }
    calls   = { "dvc.push" = 1, "dvc.fetch" = 0 }
  }
}

test "an_empty_work_tree_is_filled_from_minio" {
  approve = [step.files]
  mock "dvc.remote_status" {
    returns = { to_fetch = { objects = 15 }, lost = { objects = 0 } }
    after "dvc.fetch" {
      returns = { to_fetch = { objects = 0 }, lost = { objects = 0 } }
    }
  }
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "clean", outputs = { "bars.csv" = "deleted" } }] }
    after "dvc.checkout" {
      returns = { stages = [] }
    }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.fetch" = "done", "step.backup" = "satisfied", "step.push" = "satisfied", "step.files" = "done" }
    order   = [step.fetch, step.files]
  }
}

# Cache and MinIO have lost everything: the backup, then MinIO, then the files.
test "what_both_lost_comes_from_the_backup" {
  approve = [step.files]
  mock "dvc.remote_status" {
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 15 } }
    after "dvc.fetch" {
      returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 0 }, to_push = { objects = 15 } }
    }
    after "dvc.push" {
      returns = { to_fetch = { objects = 0 }, lost = { objects = 0 } }
    }
  }
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "data/macro.dvc", outputs = { macro = "deleted" } }] }
    after "dvc.checkout" {
      returns = { stages = [] }
    }
  }
  mock "dvc.remote_status" {
    at      = step.backup.precondition.backup_has_it
    returns = { ok = false, to_fetch = { objects = 15 }, lost = { objects = 0 } }
  }
  mock "dvc.fetch" {
    returns = { objects = 15 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.fetch" = "satisfied", "step.backup" = "done", "step.push" = "done", "step.files" = "done" }
    order   = [step.backup, step.push, step.files]
    calls   = { "dvc.fetch" = 1 }
  }
}

# Pipeline stages that are not up to date are git_dvc's matter: the files are as
# recorded.
test "a_stage_that_has_not_run_is_left_alone" {
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "clean", deps = { "bars.csv" = "modified" }, outputs = {} }] }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.files" = "satisfied" }
  }
}

test "files_that_hold_something_else_wait_for_a_person" {
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "dataset", outputs = { "RL_DS3_MACRO_CORE.csv" = "modified" } }] }
  }
  mock "dvc.checkout" {
    impact = { files = 1, changes = 1 }
  }
  expect {
    outcome = "waiting"
    calls   = { "dvc.checkout" = 0 }
  }
}

test "what_a_person_lets_go_is_put_back" {
  approve = [step.files]
  mock "dvc.status" {
    returns = { ok = false, stages = [{ stage = "dataset", outputs = { "RL_DS3_MACRO_CORE.csv" = "modified" } }] }
    after "dvc.checkout" {
      returns = { stages = [] }
    }
  }
  mock "dvc.checkout" {
    impact = { files = 1, changes = 1 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.files" = "done", "step.dataset" = "done" }
  }
}

test "nothing_is_begun_while_a_store_says_no" {
  mock "check.minio" { holds = false }
  mock "check.dvc_bucket" { holds = false }
  mock "check.dvc_idle" { holds = false }
  expect {
    outcome = "blocked"
    status  = { "step.stores" = "blocked", "step.fetch" = "not_run" }
  }
}

# `dvc pull -r minio || dvc pull -r s3_backup` would have gone to the backup.
test "keys_that_minio_does_not_take_block" {
  mock "check.minio" { status = "errors" }
  mock "check.dvc_bucket" { status = "errors" }
  mock "check.dvc_idle" { status = "errors" }
  expect {
    outcome    = "blocked"
    status     = { "step.stores" = "blocked", "step.backup" = "not_run" }
    blocked_by = step.stores.precondition.bucket
    calls      = { "dvc.fetch" = 0 }
  }
}

test "fetch_fails" {
  mock "dvc.remote_status" {
    at      = step.fetch.goal.cache_has_what_minio_has
    returns = { to_fetch = { objects = 4 }, lost = { objects = 0 } }
  }
  mock "dvc.fetch" {
    at    = step.fetch
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.backup" = "not_run" }
    message = "connection_lost"
  }
}

test "fetch_ends_well_and_mends_nothing" {
  mock "dvc.remote_status" {
    at      = step.fetch.goal.cache_has_what_minio_has
    returns = { to_fetch = { objects = 4 }, lost = { objects = 0 } }
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.backup" = "not_run" }
  }
}

test "fetch_cannot_be_looked_at" {
  mock "dvc.remote_status" {
    at    = step.fetch.goal.cache_has_what_minio_has
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.fetch" = "failed", "step.backup" = "not_run" }
  }
}

test "what_is_nowhere_any_more_is_said_to_be_lost" {
  mock "dvc.remote_status" {
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 15 } }
  }
  expect {
    outcome    = "blocked"
    status     = { "step.backup" = "blocked", "step.push" = "not_run" }
    blocked_by = step.backup.precondition.backup_has_it
    message    = "this version of the data is lost"
    calls      = { "dvc.fetch" = 0, "dvc.checkout" = 0 }
  }
}

test "a_backup_that_cannot_be_looked_at_blocks" {
  mock "dvc.remote_status" {
    at      = step.backup.goal.nothing_is_lost
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 15 } }
  }
  mock "dvc.remote_status" {
    at    = step.backup.precondition.backup_has_it
    fails = "timeout"
  }
  expect {
    outcome = "blocked"
    status  = { "step.backup" = "blocked", "step.push" = "not_run" }
  }
}

test "backup_fails" {
  mock "dvc.remote_status" {
    at      = step.backup.goal.nothing_is_lost
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 4 } }
  }
  mock "dvc.fetch" {
    at    = step.backup
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.backup" = "failed", "step.push" = "not_run" }
    message = "connection_lost"
  }
}

test "backup_ends_well_and_mends_nothing" {
  mock "dvc.remote_status" {
    at      = step.backup.goal.nothing_is_lost
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 4 } }
  }
  expect {
    outcome = "failed"
    status  = { "step.backup" = "failed", "step.push" = "not_run" }
  }
}

test "backup_cannot_be_looked_at" {
  mock "dvc.remote_status" {
    at    = step.backup.goal.nothing_is_lost
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.backup" = "failed", "step.push" = "not_run" }
  }
}

test "push_fails" {
  mock "dvc.remote_status" {
    at      = step.push.goal.minio_has_all
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 0 } }
  }
  mock "dvc.push" {
    at    = step.push
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.files" = "not_run" }
    message = "connection_lost"
  }
}

test "push_ends_well_and_mends_nothing" {
  mock "dvc.remote_status" {
    at      = step.push.goal.minio_has_all
    returns = { ok = false, to_fetch = { objects = 0 }, lost = { objects = 0 } }
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.files" = "not_run" }
  }
}

test "push_cannot_be_looked_at" {
  mock "dvc.remote_status" {
    at    = step.push.goal.minio_has_all
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.push" = "failed", "step.files" = "not_run" }
  }
}

test "files_fails" {
  approve = [step.files]
  mock "dvc.status" {
    at      = step.files.goal.as_recorded
    returns = { ok = false, stages = [{ stage = "clean", outputs = { "bars.csv" = "deleted" } }] }
  }
  mock "dvc.checkout" {
    at    = step.files
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.dataset" = "not_run" }
    message = "connection_lost"
  }
}

test "files_ends_well_and_mends_nothing" {
  approve = [step.files]
  mock "dvc.status" {
    at      = step.files.goal.as_recorded
    returns = { ok = false, stages = [{ stage = "clean", outputs = { "bars.csv" = "deleted" } }] }
  }
  expect {
    outcome = "failed"
    status  = { "step.files" = "failed", "step.dataset" = "not_run" }
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
    status  = { "step.files" = "failed", "step.dataset" = "not_run" }
  }
}

test "a_dataset_with_another_hash_is_no_success" {
  mock "dvc.file_hash" {
    returns = { ok = false, summary = "another MD5 than recorded" }
  }
  expect {
    outcome = "failed"
    status  = { "step.dataset" = "failed" }
    message = "another MD5 than recorded"
  }
}

test "a_dataset_that_cannot_be_read_is_no_success" {
  mock "dvc.file_hash" { fails = "timeout" }
  expect {
    outcome = "failed"
    status  = { "step.dataset" = "failed" }
  }
}
