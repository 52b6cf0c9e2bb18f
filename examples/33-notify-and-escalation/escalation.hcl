variable "channel" {
  default     = "#trading-ops"
  description = "Where the people are who know the stack."
}

notify "channel" {
  on = ["waiting", "succeeded"]
  action "core.log" {
    message = "${var.channel}: ${run.summary}"
  }
}

escalation "lead" {
  after = "15m"
  action "core.log" {
    message = "the lead is paged: ${run.summary}"
  }
}
