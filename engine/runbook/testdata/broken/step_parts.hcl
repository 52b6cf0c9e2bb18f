runbook "x" {}
step "a" {
  action "core.log" {
    message = "m"
  }
  goal "fresh" {
    probe "postgres.ready" {}
  }
}
step "gate" {
  precondition "p" {
    assert = step.a.goal.frehs.holds      # error: unknown_name.*no goal "frehs".*Did you mean "fresh"
  }
  precondition "q" {
    assert = step.a.verify.v.holds        # error: unknown_name.*step.a has no verify
  }
  precondition "r" {
    assert = step.a.goal.fresh            # error: invalid_reference.*write step.a.goal.fresh.holds or .result
  }
  precondition "s" {
    assert = step.a.goal.fresh.hold       # error: invalid_reference.*no "hold".*Did you mean "holds"
  }
  precondition "t" {
    assert = step.a.goal                  # error: invalid_reference.*must be followed by a name
  }
  precondition "u" {
    assert = step.gate.status == "done"   # error: invalid_reference.*cannot refer to itself
  }
}
step "after" {
  precondition "p" {
    assert = step.gate.result.ok          # error: invalid_reference.*does nothing and captures nothing
  }
}
