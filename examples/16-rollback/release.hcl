runbook "release" {
  title      = "Switch to the new release, or back to the old one"
  on_failure = "rollback"
}

step "link" {
  title = "Point current at the new release"

  action "exec.run" {
    argv    = ["ln", "-sfn", "releases/2", "current"]
    effects = [{ resource = "file:///srv/current" }]
  }

  goal "new_release" {
    probe "exec.run" {
      argv = ["test", "current", "-ef", "releases/2"]
    }
    message = "current does not lead to releases/2"
  }

  rollback {
    action "exec.run" {
      argv    = ["ln", "-sfn", "releases/1", "current"]
      effects = [{ resource = "file:///srv/current" }]
    }
    verify "old_release" {
      probe "exec.run" {
        argv = ["test", "current", "-ef", "releases/1"]
      }
      message = "current does not lead to releases/1"
    }
  }
}

step "restart" {
  title = "Restart the service on it"

  action "exec.run" {
    argv       = ["cp", "current/version", "running"]
    effects    = [{ resource = "file:///srv/running" }]
    idempotent = true
  }

  verify "healthy" {
    probe "exec.run" {
      argv = ["grep", "-q", "healthy", "running"]
    }
    message = "the service is not healthy"
  }

  rollback {
    depends_on = [step.link] # it restarts on what current leads to

    action "exec.run" {
      argv    = ["cp", "current/version", "running"]
      effects = [{ resource = "file:///srv/running" }]
    }
    verify "healthy" {
      probe "exec.run" {
        argv = ["grep", "-q", "healthy", "running"]
      }
      message = "the service is not healthy on the old release either"
    }
  }
}

step "tell" {
  title  = "Let the load balancer know"
  always = true

  action "exec.run" {
    argv    = ["cp", "running", "announced"]
    effects = [{ resource = "file:///srv/announced" }]
  }

  goal "told" {
    probe "exec.run" {
      argv = ["cmp", "-s", "running", "announced"]
    }
    message = "what is announced is not what runs"
  }
}
