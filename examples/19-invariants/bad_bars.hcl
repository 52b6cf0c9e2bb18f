runbook "bad_bars" {
  title = "Delete bad bars while nothing writes"
}

provider "postgres" {
  host     = "localhost"
  database = "trading"
  user     = "admin"
}

step "stop_writers" {
  action "exec.run" {
    argv    = ["systemctl", "stop", "ingest"]
    effects = [{ resource = "systemd://localhost/ingest" }]
  }
  goal "stopped" {
    probe "exec.run" {
      argv = ["systemctl", "is-active", "ingest"]
    }
    assert = !result.ok
  }
}

step "delete" {
  action "postgres.delete" {
    table     = "bars"
    where     = "close <= 0"
    backup_to = "bars_deleted"
  }
  limit = { rows = 50000 }
  goal "gone" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS bad FROM bars WHERE close <= 0"
    }
    assert = result.rows[0].bad == 0
  }
}

step "start_writers" {
  always = true
  action "exec.run" {
    argv    = ["systemctl", "start", "ingest"]
    effects = [{ resource = "systemd://localhost/ingest" }]
  }
  goal "started" {
    probe "exec.run" {
      argv = ["systemctl", "is-active", "ingest"]
    }
  }
}
