runbook "x" {}
step "first" {
  probe "postgres.ready" {}
}
step "early" {
  action "core.log" {
    message = step.late.result.summary # error: cycle.*step.early → step.late → step.early.*step.early needs step.late at .*step_cycle.hcl:7.*step.late is written after step.early at .*step_cycle.hcl:10
  }
}
step "late" {
  probe "postgres.ready" {}
}
