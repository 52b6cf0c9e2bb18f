runbook "x" {}
variable "a" {
  type    = nmber        # error: wrong_type
  default = 1
}
variable "b" {
  type    = number
  default = "many"       # error: wrong_type.*does not fit the variable's type
}
variable "c" {
  default  = null        # error: invalid_argument.*nullable = false
  nullable = false
}
variable "d" {
  default = var.b        # error: not_constant
}
variable "e" {
  default = 1
  validation {           # error: missing_argument.*needs the argument "message"
    condition = var.e > 0
  }
  validation {
    condition = step.s.status == "done" # error: not_in_scope.*A variable is read before any step has run
    message   = "no"
  }
  validation {
    condition = var.nope > 0 # error: unknown_name.*no variable "nope"
    message   = "no"
  }
}
step "s" {
  action "core.log" {
    message = "m"
  }
}
