probe "feast.registry" {}

probe "feast.freshness" {
  feature_view = "technical_features"
  entities     = [{ symbol = "USDCOP" }]
  max_age      = "10m"
}

probe "feast.sync" {
  feature_view = "technical_features"
}

probe "feast.online_features" {
  features = ["technical_features:rsi_9"]
  entities = [{ symbol = "USDCOP" }]
}

probe "feast.online_keys" {
  feature_view = "technical_features"
}

# What apply would change.
probe "feast.plan" {}

probe "feast.server_health" {}

action "feast.apply" {}

# After a flush: the increment would begin at the old watermark.
action "feast.materialize" {
  end = run.started_at
}

action "feast.materialize_incremental" {
  end_time      = run.started_at
  feature_views = ["technical_features"]
}

action "feast.purge_view" {
  feature_view = "technical_features"
}
