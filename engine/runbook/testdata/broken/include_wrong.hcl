runbook "x" {
  include = ["shared/wrong.hcl"]
}
