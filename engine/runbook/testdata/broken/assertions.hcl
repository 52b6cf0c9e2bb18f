runbook "x" {}
check "nothing" {          # error: missing_argument.*looks at nothing
}
check "two" {
  probe "postgres.ready" {}
  check = check.one        # error: conflict.*already has a probe
}
check "one" {
  probe "postgres.ready" {}
  probe "redis.ping" {}    # error: conflict.*already has a probe
}
check "all" {
  checks = [check.one]
  assert = true            # error: conflict.*takes no "assert"
}
check "empty" {
  checks = []              # error: invalid_reference.*takes a list of checks
}
check "quoted" {
  check = "check.one"      # error: invalid_reference.*without quotes
}
step "a" {
  precondition "p" {
    assert = result.ok     # error: not_in_scope.*"result" is what an assertion's probe or check answered
  }
  goal "g" {
    probe "postgres.ready" {}
    otherwise = "skip"     # error: unknown_argument.*A goal has no argument "otherwise"
  }
  action "core.log" {
    message = result.ok    # error: not_in_scope.*write step.NAME.result
  }
}
