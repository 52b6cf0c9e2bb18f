mock "exec.run" { # all that is not told apart below
  returns = { ok = true }
}

mock "exec.run" {
  at      = step.link.goal.new_release
  returns = { ok = false }
  after "exec.run" {
    at      = step.link
    returns = { ok = true }
  }
}

mock "exec.run" {
  at      = step.tell.goal.told
  returns = { ok = false }
  after "exec.run" {
    at      = step.tell
    returns = { ok = true }
  }
}

# Whatever goes wrong, what is announced is what runs.
invariant "it_is_announced" {
  assert  = run.outcome == "blocked" || step.tell.acted
  message = "the load balancer was not told"
}

test "the_new_release_is_healthy" {
  expect {
    outcome = "succeeded"
    status  = { "step.link" = "done", "step.restart" = "done", "step.tell" = "done" }
  }
}

test "a_broken_release_is_taken_back" {
  mock "exec.run" {
    at      = step.restart.verify.healthy
    returns = { ok = false }
  }
  expect {
    outcome = "rolled_back"
    status  = { "step.link" = "rolled_back", "step.restart" = "rolled_back", "step.tell" = "done" }
    order   = [step.link, step.restart, step.tell]
    calls   = { "exec.run" = 12 }
  }
}

test "the_old_release_does_not_come_back" {
  mock "exec.run" {
    at      = step.restart.verify.healthy
    returns = { ok = false }
  }
  mock "exec.run" {
    at      = step.restart.rollback.verify.healthy
    returns = { ok = false }
  }
  mock "exec.run" {
    at    = step.link.rollback
    fails = "read-only file system"
  }
  expect {
    outcome = "failed"
    status  = { "step.link" = "rollback_failed", "step.restart" = "rollback_failed", "step.tell" = "done" }
  }
}

test "the_link_cannot_be_set" {
  mock "exec.run" {
    at    = step.link
    fails = "read-only file system"
  }
  expect {
    outcome = "failed"
    status  = { "step.link" = "rollback_failed", "step.restart" = "not_run" }
  }
}

test "nothing_can_be_announced" {
  mock "exec.run" {
    at    = step.tell
    fails = "no space left"
  }
  expect {
    outcome = "failed"
    status  = { "step.tell" = "failed" }
  }
}

test "the_restart_fails" {
  mock "exec.run" {
    at    = step.restart
    fails = "no space left"
  }
  mock "exec.run" {
    at      = step.restart.rollback
    returns = { ok = true }
  }
  expect {
    outcome = "rolled_back"
    status  = { "step.restart" = "rolled_back" }
  }
}

test "its_health_cannot_be_looked_at" {
  mock "exec.run" {
    at    = step.restart.verify.healthy
    fails = "unreachable"
  }
  expect {
    outcome = "rolled_back"
    status  = { "step.restart" = "rolled_back" }
  }
}
