# The section "Escalation" of the sync-recovery document:
#
# | severity | condition                  | here                                      |
# | low      | single service out of sync | nobody is called: follow the runbook      |
# | medium   | multiple services affected | the team is told                          |
# | high     | full system sync failure   | and whoever calls the emergency meeting   |
# | critical | data loss detected         | and what to restore from is part of it    |
#
# Each is told once: when the run has not succeeded in time, and at once when it has
# failed. A runbook that includes this file says local.severity, which is what its
# own `severity` says. Without a webhook nobody is told.

variable "team_webhook" {
  type        = string
  default     = null
  nullable    = true
  env         = "TEAM_WEBHOOK"
  description = "URL that tells the team, by a POST of { text, severity, run }."
}

variable "emergency_webhook" {
  type        = string
  default     = null
  nullable    = true
  env         = "EMERGENCY_WEBHOOK"
  description = "URL that calls the emergency meeting, likewise."
}

locals {
  advice = local.severity == "critical" ? "Data is lost: restore the bucket from its backup." : "Emergency meeting."
}

escalation "team" {
  after = "10m"
  when  = var.team_webhook != null && local.severity != "low"
  action "http.request" {
    url   = var.team_webhook
    keyed = true
    json = {
      text     = run.summary
      severity = local.severity
      run      = run.id
    }
  }
}

escalation "emergency" {
  after = "30m"
  when  = var.emergency_webhook != null && contains(["high", "critical"], local.severity)
  action "http.request" {
    url   = var.emergency_webhook
    keyed = true
    json = {
      text     = "${local.advice} ${run.summary}"
      severity = local.severity
      run      = run.id
    }
  }
}
