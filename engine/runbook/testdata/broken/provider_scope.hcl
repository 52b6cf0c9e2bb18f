runbook "x" {}
provider "postgres" {
  host     = step.a.result.host  # error: not_in_scope.*A provider block is read before any step has run
  database = check.c.status      # error: not_in_scope.*before any check has been observed
  user     = local.user          # error: not_in_scope.*local.user uses step.a at .*provider_scope.hcl:10
  password = local.fine
}
locals {
  user = local.deeper
  deeper = upper(step.a.status)
  fine = "x"
}
check "c" {
  probe "postgres.ready" {}
  message = local.user           # error: not_in_scope.*local.user uses step.a
}
step "a" {
  probe "postgres.ready" {}
}
