runbook "x" {}
step "goal" {
  action "core.log" {
    message = "m"
  }
  goal "g" {
    probe "postgres.ready" {}
  }
}
step "maybe" {
  when = step.goal.status == "done"
  probe "postgres.query" {
    sql = "SELECT 1"
  }
}
step "skip" {
  precondition "p" {
    check     = check.c
    otherwise = "skip"
  }
  probe "postgres.ready" {}
}
check "c" {
  probe "postgres.ready" {}
}
locals {
  rows  = step.maybe.result.rows
  tried = try(step.maybe.result.rows, [])
}
step "user" {
  action "core.log" {
    message = "${step.goal.result.summary} ${step.skip.result.summary}" # error: may_be_null.*step.goal.result is null where step.goal did not run.*it has a goal # error: may_be_null.*otherwise = "skip"
  }
}
step "by_local" {
  action "core.log" {
    message = jsonencode([local.rows, local.tried]) # error: may_be_null.*\(through local.rows\).*it has a when
  }
}
step "right" {
  when = step.goal.status == "done" && can(step.maybe.result.rows[0])
  action "core.log" {
    message = "${step.goal.result.summary} ${try(step.skip.result.summary, "none")}"
  }
}
output "o" {
  value = step.maybe.result.rows # error: may_be_null
}
