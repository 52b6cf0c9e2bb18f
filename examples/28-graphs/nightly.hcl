runbook "nightly" {
  title = "Dump, check, ship"
}

step "room" {
  precondition "disk" {
    probe "core.host" {}
  }
}

step "dump" {
  action "core.log" {
    message = "dumped"
  }
}

step "measure" {
  depends_on = [step.dump]
  probe "core.host" {}
}

step "ship" {
  depends_on = [step.dump]
  when       = step.measure.status == "done"
  action "core.log" {
    message = "shipped"
  }
}
