test "a_service_that_answers_is_left_alone" {
  mock "check.answers" { holds = true }
  expect {
    outcome = "succeeded"
    status  = { "step.restart" = "skipped" }
    calls   = { "exec.run" = 0 }
  }
}

test "one_that_does_not_is_restarted" {
  mock "check.answers" {
    holds = false
    after "exec.run" { holds = true }
  }
  mock "exec.run" { takes = "40s" }
  expect {
    outcome = "succeeded"
    status  = { "step.restart" = "done" }
    calls   = { "exec.run" = 1 }
  }
}

test "the_engine_dies_in_mid_restart" {
  crash_after = step.restart
  mock "check.answers" {
    holds = false
    after "exec.run" { holds = true }
  }
  mock "exec.run" {}
  expect {
    outcome = "succeeded"
    calls   = { "exec.run" = 1 }
  }
}
