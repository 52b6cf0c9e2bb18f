runbook "x" {
  include = ["shared/stack.hcl"]
}
variable "own" {}
check "c" {
  probe "redis.get" { key = "k" }
}
step "list" {
  probe "redis.get" { key = "k" }
}
step "good" {
  call {
    runbook   = "shared/callee.hcl"
    variables = { keep = var.own }
  }
  goal "g" { check = check.c }
}
step "bad" {
  call "label" {                      # error: invalid_label.*takes no label
    runbook = "shared/callee.hcl"
    variables = {
      kepp        = 1                 # error: undeclared_variable.*Did you mean "keep"
      host        = "a"               # error: invalid_call.*stack.hcl, which has one value in a run
      keep        = step.list.result  # error: not_in_scope.*A call's variables is read before any step
    }
  }
  retry {                             # error: conflict.*tries an action again
    attempts = 2
  }
}
step "nothing" {
  call {                              # error: missing_argument.*needs the argument "runbook"
  }
}
step "missing" {
  call {
    runbook = "nowhere.hcl"           # error: invalid_call.*There is no file
  }
}
step "outside" {
  call {
    runbook = "/etc/passwd"           # error: invalid_call.*is absolute
  }
}
step "itself" {
  call {
    runbook = "calls.hcl"             # error: cycle.*call each other: testdata/broken/calls.hcl → testdata/broken/calls.hcl
  }
}
step "both" {
  action "core.log" {
    message = step.good.result.kep    # error: unknown_name.*no output "kep".*Did you mean "kept"
  }
  call {                              # error: conflict.*already has core.log
    runbook = "shared/callee.hcl"
  }
}
step "late" {
  for_each = step.list.result         # error: not_in_scope.*known before the run
  call {
    runbook   = "shared/callee.hcl"
    variables = { keep = each.value }
  }
}
