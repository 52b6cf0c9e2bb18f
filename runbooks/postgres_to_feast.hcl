# The section "PostgreSQL → Feast Sync Recovery" of the sync-recovery document,
# done right:
#
# - psql exits 0 on stale data. Here stale bars block: stale features would only
#   be copied.
# - FLUSHDB takes every key of the database, also those that are not Feast's.
#   Here nothing is flushed; purge_first removes the view's own keys, counted,
#   after a person has seen how many.
# - After a flush, incremental materialization starts at the old watermark and
#   leaves the store empty. Here a check chooses a full one.
# - An END in the future poisons the watermark. Here it is the run's own start,
#   and the provider refuses later ones.

runbook "postgres_to_feast" {
  title       = "PostgreSQL → Feast sync recovery"
  description = "Use when inference reads stale features, when the materialization DAG fails, or when Redis and PostgreSQL disagree."
  owner       = "trading-platform"
  severity    = "low"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl"]
  timeout     = "30m"
}

variable "purge_first" {
  type        = bool
  default     = false
  description = "Remove the online keys of technical_features before they are written again."
}

variable "window" {
  type        = string
  default     = "24h"
  description = "How far back a full materialization reaches: the feature view's TTL."
}

step "stores" {
  title = "PostgreSQL and Redis answer"
  precondition "postgres" { check = check.postgres }
  precondition "redis" { check = check.redis }
}

step "source" {
  title = "PostgreSQL has a fresh bar to make features of"
  precondition "bars" { check = check.bars }
}

step "registry" {
  title = "The feature registry knows the feature view"
  action "feast.apply" {}
  goal "technical_features_is_listed" { check = check.registry }
  timeout = "5m"
}

step "purge" {
  title = "Remove the view's own keys from Redis"
  when  = var.purge_first
  action "feast.purge_view" {
    feature_view = "technical_features"
  }
  goal "no_key_is_left" {
    probe "feast.online_keys" {
      feature_view = "technical_features"
    }
    assert  = result.keys == 0
    message = "${result.keys} keys hold values of technical_features"
    timeout = "30s"
  }
  limit   = { keys = 100000 }
  timeout = "5m"
}

step "materialize_full" {
  title = "Materialize the whole window: the online store has lost features"
  when  = check.features_online.status == "fails" || var.purge_first
  action "feast.materialize" {
    feature_views = ["technical_features"]
    start         = timeadd(run.started_at, "-${var.window}")
    end           = run.started_at
  }
  goal "online_store_is_fresh" { check = check.features }
  timeout = "15m"
}

step "materialize" {
  title = "Materialize what has come since the last time"
  when  = check.features_online.status != "fails" && !var.purge_first
  action "feast.materialize_incremental" {
    feature_views = ["technical_features"]
    end_time      = run.started_at
  }
  goal "online_store_is_fresh" { check = check.features }
  timeout = "15m"
}

step "inference" {
  title = "What inference asks for is served"
  verify "rsi_9_of_usdcop" { check = check.inference }
}

output "feature_age_seconds" {
  description = "Age of the newest feature row that is served."
  value = try(
    step.materialize.goal.online_store_is_fresh.result.age_seconds,
    step.materialize_full.goal.online_store_is_fresh.result.age_seconds,
    null,
  )
}
