mock "core.log" {}

test "the_lead_is_paged_at_once_where_it_fails" {
  mock "exec.run" {
    fails = "the source is gone"
  }
  expect {
    outcome = "failed"
    calls   = { "core.log" = 1 }
  }
}

test "nobody_is_paged_where_it_takes_ten_minutes" {
  mock "exec.run" {
    at      = step.copy.goal.copied
    returns = { ok = false }
    after "exec.run" {
      returns = { ok = true }
    }
  }
  mock "exec.run" {
    takes = "10m"
  }
  expect {
    outcome = "succeeded"
    calls   = { "core.log" = 1 }
  }
}

test "the_lead_is_paged_where_it_takes_an_hour" {
  mock "exec.run" {
    at      = step.copy.goal.copied
    returns = { ok = false }
    after "exec.run" {
      returns = { ok = true }
    }
  }
  mock "exec.run" {
    takes = "1h"
  }
  expect {
    outcome = "succeeded"
    calls   = { "core.log" = 2 }
  }
}

test "a_channel_that_is_away_changes_nothing" {
  mock "exec.run" {
    at      = step.copy.goal.copied
    returns = { ok = false }
    after "exec.run" {
      returns = { ok = true }
    }
  }
  mock "exec.run" {}
  mock "core.log" {
    at    = notify.channel
    fails = "the channel is away"
    clean = true
  }
  expect {
    outcome = "succeeded"
    message = "notify.channel has not told of succeeded: the channel is away"
  }
}
