runbook "evening" {
  title      = "Rotate the logs, then count what is kept"
  on_failure = "continue"
}

step "logs" {
  for_each     = { api = "api", web = "web" }
  max_parallel = 1
  call {
    runbook   = "./rotate.hcl"
    variables = { log = each.value }
  }
}

step "count" {
  action "exec.run" {
    argv       = concat(["ls"], [for name, s in step.logs : s.result.kept])
    effects    = [{ resource = "file:///", mode = "read" }]
    idempotent = true
  }
}
