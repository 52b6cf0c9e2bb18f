runbook "fetch" {
  title = "Fetch the data set, from the backup where the first store lacks it"
}

step "fetch" {
  action "exec.run" {
    argv    = ["cp", "store/data.csv", "data.csv"]
    effects = [{ resource = "file:///srv/data.csv" }]
  }

  fallback "backup" {
    action "exec.run" {
      argv    = ["cp", "backup/data.csv", "data.csv"]
      effects = [{ resource = "file:///srv/data.csv" }]
    }
  }

  fallback "yesterday" {
    action "exec.run" {
      argv    = ["cp", "yesterday/data.csv", "data.csv"]
      effects = [{ resource = "file:///srv/data.csv" }]
    }
  }

  goal "complete" {
    probe "exec.run" {
      argv = ["grep", "-q", "END", "data.csv"]
    }
    message = "data.csv is missing or cut short"
  }
}
