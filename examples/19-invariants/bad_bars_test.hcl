mock "exec.run" { takes = "5s" }

mock "exec.run" {
  at      = step.stop_writers.goal.stopped
  returns = { ok = true }
  after "exec.run" {
    at      = step.stop_writers
    returns = { ok = false }
  }
}

mock "exec.run" {
  at      = step.start_writers.goal.started
  returns = { ok = false }
  after "exec.run" {
    at      = step.start_writers
    returns = { ok = true }
  }
}

mock "postgres.query" {
  returns = { rows = [{ bad = 12 }] }
  after "postgres.delete" {
    returns = { rows = [{ bad = 0 }] }
  }
}

mock "postgres.delete" {
  returns = { rows = 12 }
  impact  = { rows = 12 }
}

invariant "writers_come_back" {
  assert  = !step.stop_writers.acted || step.start_writers.acted || run.outcome == "waiting"
  message = "the writers were stopped, and nobody tried to start them"
}

test "bad_bars_are_deleted" {
  approve = [step.delete]
  expect {
    outcome = "succeeded"
    order   = [step.stop_writers, step.delete, step.start_writers]
  }
}
