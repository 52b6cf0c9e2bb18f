runbook "nightly" {
  title   = "Checks and names that several runbooks share"
  include = ["shared.hcl"]
}

step "source_is_there" {
  precondition "source" { check = check.source }
}

step "count" {
  action "exec.run" {
    argv       = ["wc", "-l", local.source]
    effects    = [{ resource = "file://${local.source}", mode = "read" }]
    idempotent = true
  }
}
