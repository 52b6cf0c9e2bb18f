runbook "y" {}
step "b" {
  call {
    runbook = "../call_cycle.hcl" # error: cycle.*testdata/broken/call_cycle.hcl → testdata/broken/shared/cycle.hcl → .*call_cycle.hcl calls testdata/broken/shared/cycle.hcl at testdata/broken/call_cycle.hcl:4
  }
}
