runbook "failover" {
  title = "Fail over, once somebody has said yes"
}

step "desk" {
  title = "Nobody fails over in secret"

  approval {
    message = "Does the desk know?"
    timeout = "30m"
  }
}

step "failover" {
  action "exec.run" {
    argv    = ["touch", "failed-over"]
    effects = [{ resource = "file:///srv/primary" }]
  }
  goal "failed_over" {
    probe "exec.run" {
      argv = ["test", "-e", "failed-over"]
    }
    message = "the old primary is still in charge"
  }
}
