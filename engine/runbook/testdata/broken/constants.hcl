runbook "x" {
  title        = upper("a")    # error: not_constant.*"title" is read before anything is evaluated
  severity     = "hihg"        # error: invalid_argument.*takes "low", "medium", "high" or "critical", not "hihg".*Did you mean "high"
  timeout      = "ten minutes" # error: invalid_argument.*takes a duration such as "90s"
  on_failure   = "ignore"      # error: invalid_argument.*takes "stop", "continue" or "rollback"
  max_parallel = 0             # error: invalid_argument.*whole number from 1
  labels       = ["a"]         # error: wrong_type.*"labels" takes a map of string
}
step "a" {
  title   = var.x              # error: not_constant
  timeout = "0s"               # error: invalid_argument.*longer than zero
  always  = "sometimes"        # error: wrong_type.*"always" takes a bool
  precondition "p" {
    assert    = true
    within    = "-5s"          # error: invalid_argument.*longer than zero
    every     = 5              # error: invalid_argument.*takes a duration
    otherwise = "skipp"        # error: invalid_argument.*Did you mean "skip"
  }
  description = null           # error: invalid_argument.*is null
}
