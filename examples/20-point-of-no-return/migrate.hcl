runbook "migrate" {
  title      = "Move the data to the new disk"
  on_failure = "rollback"
}

step "copy" {
  action "exec.run" {
    argv    = ["cp", "-p", "old/data", "new/data"]
    effects = [{ resource = "file:///srv/new" }]
  }
  goal "same" {
    probe "exec.run" {
      argv = ["cmp", "-s", "old/data", "new/data"]
    }
    message = "the copy differs"
  }
  rollback {
    action "exec.run" {
      argv    = ["rm", "-f", "new/data"]
      effects = [{ resource = "file:///srv/new" }]
    }
  }
}

step "free" {
  title              = "Give the old disk back"
  point_of_no_return = true

  action "exec.run" {
    argv    = ["rm", "old/data"]
    effects = [{ resource = "file:///srv/old" }]
  }
  goal "freed" {
    probe "exec.run" {
      argv = ["test", "!", "-e", "old/data"]
    }
    message = "the old disk still holds the data"
  }
}

step "mount" {
  action "exec.run" {
    argv       = ["ln", "-sfn", "new", "data"]
    effects    = [{ resource = "file:///srv/data" }]
    idempotent = true
  }
  verify "writable" {
    probe "exec.run" {
      argv = ["test", "-e", "data/lock"]
    }
    message = "nobody can write to the new disk"
  }
  rollback {
    action "exec.run" {
      argv    = ["rm", "-f", "data"]
      effects = [{ resource = "file:///srv/data" }]
    }
  }
}
