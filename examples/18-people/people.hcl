runbook "people" {
  title = "Take the features of some days again"
}

step "which" {
  title = "Which run was the last good one"
  action "core.input" {
    message = "Open the scheduler's page and find the last green run."
    values = {
      run_id = {
        description = "its ID"
        pattern     = "manual__.+"
      }
      days = {
        type        = "number"
        description = "how many days to take again"
      }
    }
  }
}

step "desk" {
  title = "Nobody trades meanwhile"
  action "core.manual" {
    message = "Ask the desk: may inference be stale for ten minutes?"
  }
}

step "take_again" {
  action "core.log" {
    message = "${step.which.result.values.days} days again, from ${step.which.result.values.run_id}"
  }
}
