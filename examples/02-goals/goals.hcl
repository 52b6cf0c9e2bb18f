runbook "goals" {
  title = "A step with a goal may be repeated"
}

step "flag" {
  title = "Raise the maintenance flag"

  action "exec.run" {
    argv    = ["touch", "maintenance.flag"]
    effects = [{ resource = "file:///srv/maintenance.flag" }]
  }

  goal "raised" {
    probe "exec.run" {
      argv = ["test", "-e", "maintenance.flag"]
    }
    message = "maintenance.flag is not there"
  }
}
