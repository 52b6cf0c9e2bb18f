runbook "x" {
}
step "a" {
  action "core.log" {
    message = "a"
  }
  retry {          # error: missing_argument.*"attempts"
    delay  = "soon" # error: invalid_argument.*takes a duration
    jitter = 2     # error: invalid_argument.*from 0 to 1
    when   = error.kind == "busy" # error: invalid_reference.*error.kind
    pause  = "1s"  # error: unknown_argument.*"pause"
  }
  retry {          # error: duplicate.*already has a retry
    attempts = 2
  }
}
step "b" {
  action "core.log" {
    message = error.message # error: not_in_scope.*only the when of a retry
  }
  retry {
    attempts = 1   # error: invalid_argument.*retries nothing
  }
  verify "v" {
    probe "redis.ping" {}
    tolerate = 1   # error: conflict.*no hold_for
  }
  verify "w" {
    probe "redis.ping" {}
    hold_for = "1m"
    tolerate = 1.5 # error: invalid_argument.*without a fraction
  }
}
step "c" {
  retry {          # error: conflict.*this step has none
    attempts = 2
  }
}
