runbook "x" {}
variable "secrets" {
  type      = map(string)
  sensitive = true
}
locals {
  through = keys(var.secrets)
  all     = { for k, s in step.service : k => s.result.ok }
}
check "http" {
  for_each = { api = "http://127.0.0.1:8000/", web = "http://127.0.0.1:8001/" }
  probe "http.get" {
    url = each.valu        # error: invalid_reference.*Did you mean "each.value"
  }
}
check "secret" {
  for_each = var.secrets   # error: invalid_for_each.*var.secrets is sensitive
  probe "http.get" {
    url = each.value
  }
}
check "one" {
  probe "redis.get" { key = "k" }
}
check "from_a_step" {
  for_each = step.list.result # error: not_in_scope.*A check is read before any step has run
  probe "http.get" {
    url = each.key
  }
}
step "list" {
  probe "redis.get" { key = "k" }
}
step "service" {
  for_each     = [each.key, "b"] # error: not_in_scope.*no for_each here
  max_parallel = 0.5             # error: invalid_argument.*1 to 10000
  precondition "all" {
    checks = [check.http]
  }
  precondition "same" { check = check.http[each.key] }
  precondition "none" { check = check.http }        # error: invalid_reference.*check.http has a for_each
  precondition "not" { check = check.one["a"] }     # error: invalid_reference.*check.one has no for_each.*Did you mean "check.one"
  action "core.log" {
    message = step.service["b"].result.ok      # error: invalid_reference.*cannot refer to itself
  }
}
step "rest" {
  max_parallel = 2                                  # error: conflict.*this step has none
  depends_on   = [step.service["b"]]                # error: invalid_reference.*Edges join steps
  when         = step.service.status == "done" && step.service["b"].status == "done"
  action "core.log" {
    message = "${step.service.result.ok} ${step.service["b"].resul} ${step.list["a"].result.ok}" # error: invalid_reference.*step.service has a for_each # error: invalid_reference.*has no "resul".*Did you mean "result" # error: invalid_reference.*step.list has no for_each
  }
}
step "through" {
  for_each = local.through # error: invalid_for_each.*var.secrets is sensitive
  action "core.log" {
    message = "${each.key} ${length(local.all)} ${length([for k, s in step.service : s.status])}"
  }
}
step "checks" {
  when = check.http["api"].holds && check.http.holds && check.one["a"].holds # error: invalid_reference.*check.http has a for_each # error: invalid_reference.*check.one has no for_each
  action "core.log" {
    message = each.key # error: not_in_scope.*no for_each here
  }
}
output "ok" {
  value = [for k, s in step.through : s.status]
}
