runbook "x" {
  include = ["shared/syntax.hcl"]
}
# What is missing may be in the included file: nothing else is reported of it.
check "c" {
  probe "mlflow.health" {}
  assert  = var.a == local.b
  message = local.b
}
step "s" {
  when = check.elsewhere.holds
  precondition "p" {
    checks = [check.elsewhere, check.c]
  }
  probe "postgres.ready" {
    provider = postgres.replica
  }
}
step "t" {
  depends_on = [step.nowhere] # error: unknown_name.*no step "nowhere"
}
