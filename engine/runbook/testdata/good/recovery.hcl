# Every word of the language, once.
runbook "recovery" {
  title        = "PostgreSQL → Feast sync recovery"
  description  = <<-EOT
    Use when inference reads stale features.
    Costs nothing where all is well.
  EOT
  owner        = "trading-platform"
  severity     = "low"
  labels       = { contract = "SYNC-19", tier = 1 }
  timeout      = "30m"
  on_failure   = "continue"
  max_parallel = 2
  include      = ["shared/stack.hcl", "shared/checks.hcl", "shared/escalation.hcl"]
}

variable "max_age" {
  type        = number
  default     = 600
  description = "Oldest acceptable bar, seconds."
  nullable    = false
  validation {
    condition = var.max_age > 0
    message   = "max_age must be positive, got ${var.max_age}."
  }
}

variable "connection" {
  type = object({
    host = string
    port = optional(number, 5432)
  })
  default = { host = "localhost" }
}

variable "unused" {}

locals {
  limit  = var.max_age * 2
  newest = check.bars.result.rows[0].newest
  stored = step.dump.result.summary
}

provider "postgres" {
  alias = "replica"
  host  = "replica.internal"
}

check "bars" {
  description = "PostgreSQL holds a recent bar"
  probe "postgres.query" {
    provider  = postgres.replica
    sensitive = true
    sql       = "SELECT max(time) AS newest FROM usdcop_m5_ohlcv"
  }
  assert  = result.rows[0].age < local.limit
  message = "the newest bar is ${result.rows[0].age}s old"
  within  = "1m"
  every   = "5s"
  timeout = "3s"
}

check "both" {
  checks  = [check.bars, check.redis]
  message = "not both"
}

step "dump" {
  title       = "Dump first"
  description = "The way back."
  probe "postgres.ready" {}
  timeout = "15m"
}

step "delete" {
  when = check.bars.status == "fails" && check.redis.holds
  precondition "source" {
    check     = check.bars
    within    = "0s"
    otherwise = "skip"
  }
  precondition "dumped" {
    assert  = local.stored != ""
    message = "no dump"
  }
  action "postgres.delete" {
    table = "bars"
    where = "true"
  }
  goal "empty" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS n FROM bars"
    }
    assert = result.rows[0].n == 0
  }
  verify "counted" {
    assert = self.result.rows > 0
  }
  limit      = { rows = var.max_age }
  timeout    = "5m"
  on_failure = "ignore"
}

step "side" {
  depends_on = []
  action "core.log" {
    message = "beside the rest"
  }
}

step "after" {
  depends_on = [step.dump]
  when       = step.delete.status != "failed"
  action "core.log" {
    message = "deleted ${step.delete.result.rows}, newest ${local.newest}, ${step.side.started_at}"
  }
}

step "gate" {
  always = true
  precondition "there" {
    assert = step.delete.goal.empty.holds
  }
}

output "rows" {
  value       = try(step.delete.result.rows, 0)
  description = "How many went."
  sensitive   = true
}
