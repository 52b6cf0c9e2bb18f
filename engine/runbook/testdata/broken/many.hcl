runbook "x" {
  severity = "urgent"             # error: invalid_argument
  owner    = 5 + "x"              # error: invalid_argument
}
variable "a" {
  typo = true                     # error: unknown_argument
}
locals {
  inner {                         # error: wrong_shape.*Locals are arguments
  }
}
check "c" {
  probe "redis.gett" {            # error: unknown_operation.*Did you mean "redis.get"
    key = "k"
  }
  assert = reslt.exists           # error: unknown_name.*Did you mean "result"
}
step "s" {
  on_failure = "explode"          # error: invalid_argument.*takes "stop", "continue", "rollback" or "ignore"
  depends_on = [step.nowhere]     # error: unknown_name
  action "core.log" {             # error: missing_argument.*"message"
    mesage = "m"                  # error: unknown_argument.*Did you mean "message"
  }
}
output "o" {                      # error: missing_argument.*An? output block needs the argument "value"
}
