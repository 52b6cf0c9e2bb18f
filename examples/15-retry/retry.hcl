runbook "retry" {
  title = "Try again, where that is safe"
}

step "fetch" {
  action "exec.run" {
    script     = "echo try >> tries; test $(wc -l < tries) -eq 3"
    effects    = [{ resource = "file:///srv/tries" }]
    idempotent = true
  }

  retry {
    attempts = 5
    delay    = "100ms"
  }
}
