runbook "x" {}
step "a" {
  call {
    runbook = "shared/cycle.hcl"
  }
}
