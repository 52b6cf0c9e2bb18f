runbook "x" {}
check "a" {
  probe "redis.ping" {}
  assert = result.ok
    && result.summary != "" # error: operator_at_line_start.*"&&" has nothing on its left.*parentheses
}
