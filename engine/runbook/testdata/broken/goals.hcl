runbook "x" {}
step "gate" {
  goal "g" {                # error: conflict.*A goal is what an action or a call is for.*write verify "g"
    assert = true
  }
  limit = { rows = 1 }      # error: conflict.*"limit" bounds what an action may hit
}
step "capture" {
  probe "postgres.ready" {}
  verify "v" {              # error: conflict.*captures a probe's answer takes no verify
    assert = true
  }
}
step "both" {
  probe "postgres.ready" {}
  action "core.log" {       # error: conflict.*already has postgres.ready
    message = "m"
  }
}
step "self" {
  action "core.log" {
    message = "m"
  }
  goal "g" {
    assert = self.result.ok # error: not_in_scope.*"self" is the step's own outcome
  }
  precondition "p" {
    assert = self.result.ok # error: not_in_scope.*"self"
  }
  verify "v" {
    assert = self.result.ok && self.status == "done" # error: invalid_reference.*no self.status
  }
}
