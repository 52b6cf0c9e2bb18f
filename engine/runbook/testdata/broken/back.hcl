runbook "x" {
  on_failure = "rollback"
}
provider "redis" {}

step "gate" {
  point_of_no_return = true               # error: conflict.*no action that could be one
  fallback "other" {                      # error: conflict.*this step has none
    action "core.log" {
      message = "x"
    }
  }
  rollback {                              # error: conflict.*this step does nothing
    action "core.log" {
      message = "x"
    }
  }
}

step "guarded" {
  action "exec.run" {}
  goal "empty" {
    probe "redis.get" {
      key = "k"
    }
  }
}

step "empty" {
  action "core.log" {
    message = "x"
  }
  fallback "a" {                          # error: missing_block.*A fallback needs an action
  }
  rollback {                              # error: missing_block.*A rollback needs an action
    precondition "p" {                    # error: unknown_block.*A rollback has no block "precondition"
    }
  }
  rollback {                              # error: duplicate.*already has a rollback
  }
}

step "twice" {
  action "core.log" {
    message = "x"
  }
  fallback "a" {
    action "core.log" {
      message = "${self.result.summary}"  # error: not_in_scope.*only its verify and its rollback
    }
    action "core.log" {                   # error: conflict.*already has core.log
      message = "x"
    }
  }
  fallback "a" {                          # error: duplicate.*already has a fallback "a"
    action "core.log" {
      message = "x"
    }
  }
}

step "results" {
  action "core.log" {
    message = "x"
  }
  rollback {                              # error: cycle.*These rollbacks wait for each other
    depends_on = [step.nowhere, step.results, step.gate_two, step.other] # error: unknown_name.*nowhere # error: invalid_reference.*cannot come after itself # error: invalid_reference.*has no rollback
    action "core.log" {
      message = "${self.result.summary} ${step.guarded.result.stdout} ${try(self.result.summary, "?")}" # error: may_be_null.*self.result is null # error: may_be_null.*step.guarded.result is null
    }
    verify "v" {
      assert = try(self.result.missing, true) && step.other.status == "done"
    }
    verify "v" {                          # error: duplicate.*already has a verify "v"
      assert = true
    }
  }
}

step "other" {
  depends_on = []
  limit      = { keys = 1 }               # error: invalid_limit.*core.log counts nothing
  action "redis.flushdb" {
  }
  fallback "log" {
    action "core.log" {
      message = "x"
    }
  }
  rollback {
    depends_on = [step.results]
    action "core.log" {
      message = "x"
    }
  }
}

step "gate_two" {}

step "reads" {
  action "core.log" {
    message = step.parts.result.stdout    # error: unknown_name.*The result of log has no "stdout"
  }
}

step "parts" {
  depends_on = []
  action "exec.run" {}
  fallback "log" {
    action "core.log" {                   # error: missing_argument
      mesage = "x"                        # error: unknown_argument.*Did you mean "message"
    }
  }
  verify "v" {
    assert = self.result.stdout == ""     # error: unknown_name.*The result of log has no "stdout"
  }
}
