variables = { access_key = "key", secret_key = "not-used" }

mock "dvc.lock_held" {
  returns = { ok = true }
}

test "what_minio_lost_comes_from_the_backup" {
  mock "dvc.status" {
    returns = { ok = false, summary = "macro deleted" }
    after "dvc.pull" {
      at      = step.pull.fallback.backup
      returns = { ok = true }
    }
  }
  mock "dvc.pull" {
    at    = step.pull
    fails = "objects_lost"
    clean = true
  }
  mock "dvc.pull" {
    at = step.pull.fallback.backup
  }
  mock "dvc.remote_status" {
    returns = { ok = false, summary = "3 objects to push" }
    after "dvc.push" {
      returns = { ok = true, lost = { objects = 0, bytes = 0, files = [] } }
    }
  }
  mock "dvc.push" {
    impact = { objects = 3, bytes = 1200 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.pull" = "done", "step.push" = "done" }
    calls   = { "dvc.pull" = 2, "dvc.push" = 1 }
  }
}

test "nothing_is_done_while_another_dvc_works" {
  mock "dvc.status" {
    returns = { ok = false, summary = "macro deleted" }
  }
  mock "dvc.lock_held" {
    returns = { ok = false, summary = "dvc (process 4711) is at work" }
  }
  mock "dvc.remote_status" {
    returns = { ok = true, lost = { objects = 0, bytes = 0, files = [] } }
  }
  expect {
    outcome    = "blocked"
    blocked_by = step.pull
    message    = "dvc (process 4711) is at work"
    calls      = { "dvc.pull" = 0 }
  }
}
