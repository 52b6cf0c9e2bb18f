runbook "soaking" {
  title = "It works, but does it go on working?"
}

step "restart" {
  action "exec.run" {
    argv       = ["touch", "up"]
    effects    = [{ resource = "file:///srv/service" }]
    idempotent = true
  }

  verify "stays_up" {
    probe "exec.run" {
      argv = ["test", "-e", "up"]
    }
    message  = "the service is down"
    every    = "200ms"
    hold_for = "1s"
    tolerate = 1
  }
}
