runbook "checks_and_diagnosis" {
  title = "Inference is stale: find out why, and mend only that"
}

check "source" {
  description = "The source delivers"
  probe "exec.run" {
    argv = ["test", "-s", "source.csv"]
  }
  message = "source.csv is empty or missing"
}

check "cache" {
  description = "The cache is not poisoned"
  probe "exec.run" {
    argv = ["test", "!", "-e", "cache.bad"]
  }
  message = "cache.bad is there"
}

step "refill_source" {
  when = check.source.status == "fails"
  action "core.log" {
    message = "fetching source.csv again"
  }
}

step "clean_cache" {
  when = check.cache.status == "fails"
  action "exec.run" {
    argv    = ["mv", "cache.bad", "cache.old"]
    effects = [{ resource = "file:///srv/cache" }]
  }
  goal "clean" { check = check.cache }
}

step "healthy" {
  precondition "all_is_well" {
    checks = [check.source, check.cache]
  }
}
