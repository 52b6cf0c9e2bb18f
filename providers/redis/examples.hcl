probe "redis.ping" {}

probe "redis.get" {
  key = "feature:mode"
}

probe "redis.ttl" {
  key = "session:42"
}

probe "redis.key_count" {
  pattern = "features:*"
}

probe "redis.dbsize" {}

probe "redis.pubsub" {
  channel         = "market_data"
  min_subscribers = 1
}

probe "redis.info" {
  max_memory_ratio = 0.8
}

# A step with limit = { keys = 5000 } never deletes more.
action "redis.delete_pattern" {
  pattern = "features:stale:*"
}

# Refused where a single key of somebody else's lives in the database.
action "redis.flushdb" {
  require_prefix = ["features:"]
}

action "redis.set" {
  key   = "feature:mode"
  value = "drain"
  ttl   = "15m"
}

action "redis.bgsave" {}
