runbook "always" {
  title = "Whatever happens, the writers come back"
}

step "stop_writers" {
  action "core.log" {
    message = "writers are stopped"
  }
}

step "migrate" {
  action "core.fail" {
    message = "the migration does not apply"
  }
}

step "start_writers" {
  always = true
  action "core.log" {
    message = "writers are back, the migration ended ${step.migrate.status}"
  }
}
