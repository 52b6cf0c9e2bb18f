runbook "filestamp" {
  title       = "The nightly report has run today"
  description = "Shows a provider of another party at work."
}

variable "marker" {
  type        = string
  default     = "report.stamp"
  description = "Marker file that the report leaves behind."
}

step "report" {
  title = "Leave the marker that says the report has run"

  action "filestamp.touch" {
    path = var.marker
  }

  goal "has_run_today" {
    probe "filestamp.age" {
      path    = var.marker
      max_age = "24h"
    }
    message = result.summary
  }
}
