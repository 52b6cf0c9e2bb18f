runbook "x" {}
variable "max_age" {
  default = 1
}
step "backup" {
  action "core.log" {
    message = var.max_aeg          # error: unknown_name.*no variable "max_aeg".*Did you mean "var.max_age"
  }
}
step "a" {
  depends_on = [step.bakcup]       # error: unknown_name.*no step "bakcup".*Did you mean "step.backup"
  action "core.log" {
    message = local.nope           # error: unknown_name.*no local "nope"
  }
}
step "b" {
  precondition "p" {
    check = check.bars             # error: unknown_name.*no check "bars"
  }
  precondition "q" {
    checks = [check.x, check.y.z]  # error: unknown_name.*no check "x" # error: invalid_reference.*"checks" names checks
  }
  action "core.log" {
    message = foo.bar              # error: unknown_name.*no "foo"
  }
}
step "c" {
  action "core.log" {
    message = stpe.a.status        # error: unknown_name.*no "stpe".*Did you mean "step"
  }
}
step "d" {
  action "core.log" {
    message = "${run.idd} ${path.x}" # error: invalid_reference.*no run.idd.*Did you mean "run.id" # error: invalid_reference.*no path.x
  }
}
step "e" {
  action "core.log" {
    message = step.backup.statsu   # error: invalid_reference.*step.backup has no "statsu".*Did you mean "status"
  }
}
step "f" {
  action "core.log" {
    message = jsonencode([step.backup, var, upcase("a")]) # error: invalid_reference.*no value by itself # error: invalid_reference.*"var" must be followed # error: unknown_function.*no function "upcase"
  }
}
