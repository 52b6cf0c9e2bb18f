mock "core.log" {}

test "both_answer" {
  answers = {
    "step.which" = {
      run_id = "manual__2026-01-16"
      days   = 3
    }
    "step.desk" = {}
  }
  expect {
    outcome = "succeeded"
    status  = { "step.take_again" = "done" }
  }
}

test "the_desk_says_no" {
  answers = {
    "step.which" = {
      run_id = "manual__2026-01-16"
      days   = 3
    }
    "step.desk" = false
  }
  expect {
    outcome    = "failed"
    blocked_by = step.desk
    calls      = { "core.log" = 0 }
  }
}

test "nobody_is_there" {
  expect {
    outcome = "waiting"
  }
}
