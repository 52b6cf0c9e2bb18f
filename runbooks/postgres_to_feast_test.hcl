# Rehearsals of postgres_to_feast.hcl: `runbook test runbooks/`.

variables = { postgres_password = "not-used" }

mock "check.postgres" { holds = true }
mock "check.redis" { holds = true }
mock "check.bars" { holds = true }
mock "check.inference" { holds = true }

mock "feast.registry" {
  returns = { feature_views = ["technical_features"] }
}

mock "feast.freshness" {
  returns = { age_seconds = 42, missing = 0 }
}

mock "feast.online_keys" {
  returns = { keys = 7 }
  after "feast.purge_view" {
    returns = { ok = false, keys = 0 }
  }
}

mock "feast.apply" {}
mock "feast.purge_view" {}
mock "feast.materialize" {}
mock "feast.materialize_incremental" {}

# Whatever goes wrong: `runbook test --exhaustive runbooks/`.
invariant "features_are_made_of_fresh_bars_only" {
  assert  = step.source.status == "satisfied" || !step.materialize.acted && !step.materialize_full.acted
  message = "features were written, and the bars were ${step.source.status}"
}

invariant "nothing_is_purged_before_the_bars_are_fresh" {
  assert = !step.purge.acted || step.source.status == "satisfied"
}

test "healthy_has_nothing_to_do" {
  expect {
    outcome = "succeeded"
    status = {
      "step.stores"           = "satisfied"
      "step.source"           = "satisfied"
      "step.registry"         = "satisfied"
      "step.purge"            = "skipped"
      "step.materialize_full" = "skipped"
      "step.materialize"      = "satisfied"
      "step.inference"        = "done"
    }
    calls = { "feast.materialize_incremental" = 0, "feast.materialize" = 0, "feast.apply" = 0 }
  }
}

test "stale_features_are_rematerialized" {
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize_incremental" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "feast.materialize_incremental" { takes = "4m" }
  expect {
    outcome = "succeeded"
    status  = { "step.materialize" = "done", "step.materialize_full" = "skipped", "step.inference" = "done" }
    calls   = { "feast.materialize_incremental" = 1 }
    order   = [step.materialize]
  }
}

test "a_flushed_store_is_filled_in_full" {
  mock "feast.freshness" {
    returns = { ok = false, missing = 1 }
    after "feast.materialize" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "feast.materialize" {}
  expect {
    outcome = "succeeded"
    status  = { "step.materialize_full" = "done", "step.materialize" = "skipped" }
    calls   = { "feast.materialize" = 1, "feast.materialize_incremental" = 0 }
  }
}

test "a_lost_registry_is_applied_first" {
  mock "feast.registry" {
    returns = { ok = false, feature_views = [] }
    after "feast.apply" {
      returns = { feature_views = ["technical_features"] }
    }
  }
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize_incremental" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "feast.apply" {}
  mock "feast.materialize_incremental" {}
  expect {
    outcome = "succeeded"
    status  = { "step.registry" = "done", "step.materialize" = "done" }
    order   = [step.registry, step.materialize]
  }
}

test "stale_bars_block" {
  mock "check.bars" { holds = false }
  expect {
    outcome    = "blocked"
    status     = { "step.source" = "blocked", "step.materialize" = "not_run" }
    blocked_by = step.source.precondition.bars
  }
}

test "killed_in_materialize_it_is_found_done" {
  crash_after = step.materialize
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize_incremental" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "feast.materialize_incremental" {}
  expect {
    outcome = "succeeded"
    status  = { "step.materialize" = "done" }
    calls   = { "feast.materialize_incremental" = 1 }
  }
}

test "materialize_takes_too_long" {
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
  }
  mock "feast.materialize_incremental" { takes = "20m" }
  expect {
    outcome = "failed"
    status  = { "step.materialize" = "failed", "step.inference" = "not_run" }
    message = "cancelled in mid-action"
  }
}

test "a_purge_waits_for_a_person" {
  variables = { purge_first = true }
  mock "feast.purge_view" {
    impact = { keys = 7 }
  }
  expect {
    outcome = "waiting"
    calls   = { "feast.purge_view" = 0 }
  }
}

test "an_approved_purge_is_followed_by_a_full_materialization" {
  variables = { purge_first = true }
  approve   = [step.purge]
  mock "feast.purge_view" {
    impact = { keys = 7 }
  }
  mock "feast.freshness" {
    returns = { age_seconds = 90000, missing = 0 }
    after "feast.materialize" {
      returns = { age_seconds = 3, missing = 0 }
    }
  }
  mock "feast.materialize" {}
  expect {
    outcome = "succeeded"
    status  = { "step.purge" = "done", "step.materialize_full" = "done" }
    order   = [step.purge, step.materialize_full]
  }
}

test "stores_that_do_not_answer_block" {
  mock "check.postgres" { holds = false }
  mock "check.redis" { holds = false }
  expect {
    outcome = "blocked"
    status  = { "step.stores" = "blocked", "step.source" = "not_run" }
  }
}

test "stores_that_cannot_be_looked_at_block" {
  mock "check.postgres" { status = "errors" }
  mock "check.redis" { status = "errors" }
  expect {
    outcome = "blocked"
    status  = { "step.stores" = "blocked", "step.source" = "not_run" }
  }
}

test "bars_that_cannot_be_looked_at_block" {
  mock "check.bars" { status = "errors" }
  expect {
    outcome = "blocked"
    status  = { "step.source" = "blocked", "step.materialize" = "not_run" }
  }
}

test "a_purge_that_fails_is_followed_by_nothing" {
  variables = { purge_first = true }
  approve   = [step.purge]
  mock "feast.purge_view" {
    impact = { keys = 7 }
    fails  = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.purge" = "failed", "step.materialize_full" = "not_run" }
  }
}

# Nothing is missing by the time it is looked at again.
test "a_store_that_is_full_again_is_left_alone" {
  mock "check.features_online" { holds = false }
  expect {
    outcome = "succeeded"
    status  = { "step.materialize_full" = "satisfied", "step.materialize" = "skipped" }
  }
}

test "features_that_are_not_served_are_no_success" {
  mock "check.inference" { holds = false }
  expect {
    outcome = "failed"
    status  = { "step.inference" = "failed" }
  }
}

test "serving_that_cannot_be_looked_at_is_no_success" {
  mock "check.inference" { status = "errors" }
  expect {
    outcome = "failed"
    status  = { "step.inference" = "failed" }
  }
}

test "registry_fails" {
  mock "feast.registry" {
    at      = step.registry.goal.technical_features_is_listed
    returns = { ok = false, feature_views = [] }
  }
  mock "feast.apply" {
    at    = step.registry
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.registry" = "failed", "step.materialize" = "not_run" }
    message = "connection_lost"
  }
}

test "registry_ends_well_and_mends_nothing" {
  mock "feast.registry" {
    at      = step.registry.goal.technical_features_is_listed
    returns = { ok = false, feature_views = [] }
  }
  expect {
    outcome = "failed"
    status  = { "step.registry" = "failed", "step.materialize" = "not_run" }
  }
}

test "registry_cannot_be_looked_at" {
  mock "feast.registry" {
    at    = step.registry.goal.technical_features_is_listed
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.registry" = "failed", "step.materialize" = "not_run" }
  }
}

test "materialize_fails" {
  mock "feast.freshness" {
    at      = step.materialize.goal.online_store_is_fresh
    returns = { age_seconds = 90000, missing = 0 }
  }
  mock "feast.materialize_incremental" {
    at    = step.materialize
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize" = "failed", "step.inference" = "not_run" }
    message = "connection_lost"
  }
}

test "materialize_ends_well_and_mends_nothing" {
  mock "feast.freshness" {
    at      = step.materialize.goal.online_store_is_fresh
    returns = { age_seconds = 90000, missing = 0 }
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize" = "failed", "step.inference" = "not_run" }
  }
}

test "materialize_cannot_be_looked_at" {
  mock "feast.freshness" {
    at    = step.materialize.goal.online_store_is_fresh
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize" = "failed", "step.inference" = "not_run" }
  }
}

test "materialize_full_fails" {
  mock "check.features_online" { holds = false }
  mock "feast.freshness" {
    at      = step.materialize_full.goal.online_store_is_fresh
    returns = { ok = false, missing = 1 }
  }
  mock "feast.materialize" {
    at    = step.materialize_full
    fails = "connection_lost"
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize_full" = "failed", "step.inference" = "not_run" }
    message = "connection_lost"
  }
}

test "materialize_full_ends_well_and_mends_nothing" {
  mock "check.features_online" { holds = false }
  mock "feast.freshness" {
    at      = step.materialize_full.goal.online_store_is_fresh
    returns = { ok = false, missing = 1 }
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize_full" = "failed", "step.inference" = "not_run" }
  }
}

test "materialize_full_cannot_be_looked_at" {
  mock "check.features_online" { holds = false }
  mock "feast.freshness" {
    at    = step.materialize_full.goal.online_store_is_fresh
    fails = "timeout"
  }
  expect {
    outcome = "failed"
    status  = { "step.materialize_full" = "failed", "step.inference" = "not_run" }
  }
}

test "a_purge_that_leaves_values_is_followed_by_nothing" {
  variables = { purge_first = true }
  approve   = [step.purge]
  mock "feast.purge_view" {
    impact = { keys = 7 }
  }
  mock "feast.online_keys" {
    returns = { keys = 3 }
  }
  expect {
    outcome = "failed"
    status  = { "step.purge" = "failed", "step.materialize_full" = "not_run" }
  }
}

test "a_purge_that_cannot_be_proven_is_followed_by_nothing" {
  variables = { purge_first = true }
  approve   = [step.purge]
  mock "feast.purge_view" {
    impact = { keys = 7 }
  }
  mock "feast.online_keys" { fails = "timeout" }
  expect {
    outcome = "failed"
    status  = { "step.purge" = "failed", "step.materialize_full" = "not_run" }
  }
}

test "what_is_purged_already_is_not_purged_again" {
  variables = { purge_first = true }
  mock "feast.online_keys" {
    returns = { keys = 0 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.purge" = "satisfied", "step.materialize_full" = "satisfied" }
  }
}
