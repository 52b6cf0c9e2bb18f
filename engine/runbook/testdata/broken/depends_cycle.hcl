runbook "x" {}
step "a" {
  depends_on = [step.c]     # error: cycle.*step.a → step.c → step.b → step.a.*step.a needs step.c at .*depends_cycle.hcl:3.*step.c reads the status of step.b at .*depends_cycle.hcl:10.*step.b needs step.a at .*depends_cycle.hcl:6
}
step "b" {
  depends_on = [step.a]
}
step "c" {
  depends_on = []
  when = step.b.status == "done"
}
step "self" {
  depends_on = [step.self]  # error: cycle.*step.self → step.self
}
