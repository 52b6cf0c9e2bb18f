runbook "x" {}
step "a" {
  depends_on = step.b          # error: invalid_reference.*takes a list of steps
}
step "b" {
  depends_on = ["step.a"]      # error: invalid_reference.*names steps.*without quotes
}
step "c" {
  depends_on = [step.a.result, step.b, step.b] # error: invalid_reference.*without an attribute # error: duplicate.*step.b is already in this list
}
