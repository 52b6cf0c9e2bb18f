runbook "preconditions_and_gates" {
  title = "What must hold before anything is done"
}

step "window" {
  title = "Only in the maintenance window"

  precondition "open" {
    probe "exec.run" {
      argv = ["test", "-e", "maintenance.flag"]
    }
    message = "no maintenance window is open: touch maintenance.flag"
  }
}

step "compact" {
  precondition "worth_it" {
    probe "exec.run" {
      argv = ["test", "-s", "journal.log"]
    }
    message   = "journal.log is empty, there is nothing to compact"
    otherwise = "skip"
  }

  action "core.log" {
    message = "compacting"
  }
}
