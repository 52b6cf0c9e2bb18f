runbook "retry" {
  title = "Try again, where that is safe"
}

step "fetch" {
  action "exec.run" {
    script     = "echo try >> tries; test $(wc -l < tries) -eq 3 && touch data.csv"
    effects    = [{ resource = "file:///srv/data.csv" }]
    idempotent = true
  }

  goal "fetched" {
    probe "exec.run" {
      argv = ["test", "-e", "data.csv"]
    }
    message = "data.csv is missing"
  }

  retry {
    attempts = 5
    delay    = "100ms"
  }
}
