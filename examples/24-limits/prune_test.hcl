variables = { postgres_password = "not-used" }

mock "postgres.query" {
  returns = { rows = [{ older = 31000 }] }
  after "postgres.delete" {
    returns = { rows = [{ older = 0 }] }
  }
}

test "a_usual_year_is_deleted" {
  approve = [step.prune]
  mock "postgres.delete" {
    impact = { rows = 31000 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.prune" = "done" }
  }
}

test "far_more_than_usual_is_not" {
  approve = [step.prune]
  mock "postgres.delete" {
    impact = { rows = 9000000 }
  }
  expect {
    outcome    = "blocked"
    blocked_by = step.prune
    message    = "it would hit 9000000 rows, the limit is 50000"
    calls      = { "postgres.delete" = 0 }
  }
}
