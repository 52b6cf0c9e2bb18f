runbook "waiting_within" {
  title = "Be patient, but not for ever"
}

step "restart" {
  action "exec.run" {
    argv    = ["touch", "restarted"]
    effects = [{ resource = "file:///srv/service" }]
  }

  goal "ready" {
    probe "exec.run" {
      argv = ["test", "-e", "ready.flag"]
    }
    message = "the service is not ready"
    within  = "30s"
    every   = "200ms"
  }
}
