runbook "x" {
}
notify "chat" {           # error: unsupported.*"notify"
}
escalation "boss" {       # error: unsupported.*"escalation"
}
step "a" {
  action "core.log" {
    message = "x"
  }
}
