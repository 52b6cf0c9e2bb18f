runbook "rollout" {
  title = "Give every service the new configuration, one at a time"
}

variable "services" {
  type    = list(string)
  default = ["api", "worker", "web"]
}

check "has_it" {
  for_each    = toset(var.services)
  description = "The service runs with the new configuration"
  probe "exec.run" {
    argv = ["cmp", "-s", "new.conf", "${each.key}/app.conf"]
  }
  message = "${each.key} has another configuration"
}

step "rollout" {
  for_each     = var.services
  max_parallel = 1
  action "exec.run" {
    argv       = ["cp", "new.conf", "${each.key}/app.conf"]
    effects    = [{ resource = "file:///${each.key}/app.conf" }]
    idempotent = true
  }
  goal "has_it" { check = check.has_it[each.key] }
}

step "accept" {
  precondition "all" { checks = [check.has_it] }
}

output "statuses" {
  value = { for name, s in step.rollout : name => s.status }
}
