runbook "variables_and_environments" {
  title = "One runbook for every environment"
}

variable "replicas" {
  type        = number
  default     = 1
  description = "How many replicas there should be."
  validation {
    condition = var.replicas >= 1 && var.replicas <= 9
    message   = "replicas must be from 1 to 9, not ${var.replicas}."
  }
}

variable "token" {
  type      = string
  sensitive = true
  env       = "DEPLOY_TOKEN"
}

locals {
  greeting = "${run.environment}: ${var.replicas} replicas"
}

step "scale" {
  action "exec.run" {
    script     = "echo scaling with $TOKEN"
    env        = { TOKEN = var.token }
    effects    = []
    idempotent = true
  }
}

step "say" {
  action "core.log" {
    message = local.greeting
  }
}
