runbook "destructive_steps" {
  title = "What cannot be undone asks a person"
}

step "purge" {
  title = "Delete old exports"

  precondition "there_are_some" {
    probe "exec.run" {
      argv = ["test", "-d", "exports"]
    }
    otherwise = "skip"
    message   = "there is no folder exports"
  }

  # runbook:ignore destructive_unguarded this shows what the engine asks by itself
  action "exec.run" {
    argv    = ["rm", "-r", "exports"]
    effects = [{ resource = "file:///srv/exports", mode = "delete" }]
    dry_run = ["ls", "exports"]
  }

  goal "gone" {
    probe "exec.run" {
      argv = ["test", "!", "-d", "exports"]
    }
    message = "the folder exports is there"
  }
}
