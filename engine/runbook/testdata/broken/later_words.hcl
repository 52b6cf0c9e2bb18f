runbook "x" {
  on_failure = "rollback" # error: unsupported.*on_failure = "rollback" is not supported by this version
}
notify "chat" {           # error: unsupported.*"notify"
}
escalation "boss" {       # error: unsupported.*"escalation"
}
check "each" {
  for_each = ["a"]        # error: unsupported.*"for_each"
  probe "http.get" {
    url = each.value
  }
}
step "a" {
  for_each             = ["a"] # error: unsupported.*"for_each"
  max_parallel         = 1     # error: unsupported.*"max_parallel"
  point_of_no_return   = true  # error: unsupported.*"point_of_no_return"
  on_failure           = "rollback" # error: unsupported.*on_failure = "rollback"
  action "core.log" {
    message = each.key
  }
  fallback "other" {      # error: unsupported.*"fallback"
  }
  rollback {              # error: unsupported.*"rollback"
  }
  approval {              # error: unsupported.*"approval"
  }
}
step "b" {
  call {                  # error: unsupported.*"call"
  }
}
step "c" {
  action "core.log" {
    message = each.key    # error: unsupported.*"each"
  }
  precondition "p" {
    check = check.each["a"] # error: unsupported.*An instance of check.each
  }
}
