runbook "order_and_failure" {
  title      = "What comes after what, and what a failure means"
  on_failure = "continue"
}

step "warm_cache" {
  on_failure = "ignore"
  action "core.fail" {
    message = "the cache is away"
  }
}

step "index" {
  action "core.fail" {
    code    = "index_corrupt"
    message = "the index is corrupt"
  }
}

step "search" {
  depends_on = [step.index]
  action "core.log" {
    message = "serving searches from the new index"
  }
}

step "report" {
  action "core.log" {
    message = "the index ended ${step.index.status}"
  }
}
