runbook "hello" {
  title = "A first runbook"
}

step "greet" {
  precondition "machine" {
    probe "core.host" {}
  }
  action "core.log" {
    message = "Hello, ${run.operator}."
  }
}
