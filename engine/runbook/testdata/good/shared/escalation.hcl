# Whom every runbook tells: what these use is reached.
variable "channel" {
  default = "#oncall"
}

locals {
  channel = upper(var.channel)
}

notify "chat" {
  on = ["succeeded", "failed"]
  action "core.log" {
    message = "${local.channel}: ${run.summary}"
  }
}

escalation "lead" {
  after = "15m"
  when  = run.environment == "prod"
  action "core.log" {
    message = run.summary
  }
}
