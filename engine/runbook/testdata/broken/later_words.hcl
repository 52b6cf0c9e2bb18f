runbook "x" {
  on_failure = "rollback" # error: unsupported.*on_failure = "rollback" is not supported by this version
}
notify "chat" {           # error: unsupported.*"notify"
}
escalation "boss" {       # error: unsupported.*"escalation"
}
step "a" {
  point_of_no_return   = true  # error: unsupported.*"point_of_no_return"
  on_failure           = "rollback" # error: unsupported.*on_failure = "rollback"
  action "core.log" {
    message = "x"
  }
  fallback "other" {      # error: unsupported.*"fallback"
  }
  rollback {              # error: unsupported.*"rollback"
  }
  approval {              # error: unsupported.*"approval"
  }
}
