runbook "x" {}
check "a" {              # error: cycle.*made of each other: check.a → check.b → check.a.*check.a at .*check_cycle.hcl:2.*check.b at .*check_cycle.hcl:5
  check = check.b
}
check "b" {
  checks = [check.a]
}
