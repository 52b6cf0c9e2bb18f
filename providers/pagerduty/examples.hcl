action "pagerduty.trigger" {
  summary  = "inference reads stale features"
  severity = "critical"
  group    = "trading"
  details  = { runbook = "postgres_to_feast" }
}

action "pagerduty.resolve" {
  dedup_key = "stale-features"
}
