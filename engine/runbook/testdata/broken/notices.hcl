runbook "x" {
}
notify "wrong_word" {
  on = ["failed", "succeded"]   # error: invalid_argument.*"on" takes "started".*not "succeded".*Did you mean "succeeded"
  action "core.log" {
    message = run.summary
  }
}
notify "of_nothing" {
  on = []                       # error: invalid_argument.*nobody is told anything
  action "core.log" {
    message = "x"
  }
}
notify "without_action" {       # error: missing_block.*A notify needs an action
  on = ["failed"]
}
notify "sees_steps" {
  on    = ["failed"]
  after = "15m"                 # error: unknown_argument.*A notify has no argument "after"
  action "core.log" {
    message = step.a.status     # error: not_in_scope.*A notify is read before any step has run
  }
}
notify "sees_steps" {           # error: duplicate.*notify "sees_steps" is already declared
  on = ["failed"]
  action "core.log" {
    message = "x"
  }
}
notify "sees_checks" {
  on = ["failed"]
  action "core.log" {
    message = check.c.status    # error: not_in_scope.*before any check
    nope    = 1                 # error: unknown_argument.*has no argument "nope"
  }
}
escalation "never" {            # error: missing_argument.*An escalation block needs the argument "after"
  on = ["failed"]               # error: unknown_argument.*An escalation has no argument "on"
  action "core.log" {
    message = local.late        # error: not_in_scope.*local.late uses step.a.*An escalation is read before
  }
}
escalation "asks" {
  after = "15m"
  when  = run.environment == "prod" && run.sumary != "" # error: invalid_reference.*There is no run.sumary
  action "core.manual" {        # error: conflict.*core.manual asks a person, and escalation.asks only tells
  }
}
locals {
  late = step.a.status
}
check "c" {
  assert = run.id != ""
}
step "a" {
  action "core.log" {
    message = run.summary       # error: not_in_scope.*only a notify and an escalation can see
  }
}
