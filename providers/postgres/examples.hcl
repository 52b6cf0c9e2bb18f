probe "postgres.ready" {}

probe "postgres.query" {
  sql    = "SELECT count(*) AS bad FROM bars WHERE close > $1"
  params = [10000]
}

probe "postgres.freshness" {
  table   = "market.bars"
  column  = "time"
  where   = "symbol = $1"
  params  = ["USDCOP"]
  max_age = "10m"
}

probe "postgres.connections" {}

probe "postgres.replication_lag" {
  max_lag      = "30s"
  min_standbys = 1
}

probe "postgres.locks" {
  longer_than = "1m"
}

probe "postgres.pending_restart" {}

probe "postgres.table_sizes" {}

# Before a restore: nobody may write.
probe "postgres.writers" {
  watch  = "5s"
  ignore = ["grafana"]
}

probe "postgres.archives" {
  dir     = "/backups"
  pattern = "market-*.dump"
  min     = 3
  max_age = "26h"
}

action "postgres.execute" {
  sql         = "UPDATE jobs SET state = 'queued' WHERE state = 'stuck' AND id = ANY ($1)"
  params      = [[7, 9]]
  expect_rows = { min = 1, max = 2 }
}

# Kept in a table of this run, for restore_rows.
action "postgres.delete" {
  table     = "market.bars"
  where     = "close > $1"
  params    = [10000]
  backup_to = "market.bars_before"
}

action "postgres.update" {
  table       = "jobs"
  where       = "state = 'stuck'"
  set         = { state = "queued", worker = null }
  expect_rows = { max = 10 }
}

# Brings back what delete has kept.
action "postgres.restore_rows" {
  from  = "market.bars_before"
  table = "market.bars"
}

action "postgres.terminate_idle" {
  older_than  = "1h"
  application = "notebook"
}

action "postgres.vacuum" {
  table = "market.bars"
}

action "postgres.reindex" {
  table = "market.bars"
}

action "postgres.alter_system" {
  name  = "work_mem"
  value = "64MB"
}

action "postgres.dump" {
  path   = "/backups/market-${run.id}.dump"
  tables = ["market.*"]
}

action "postgres.restore" {
  path = "/backups/market.dump"
}

action "postgres.prune_dumps" {
  dir        = "/backups"
  pattern    = "market-*.dump"
  keep       = 7
  older_than = "168h"
}
