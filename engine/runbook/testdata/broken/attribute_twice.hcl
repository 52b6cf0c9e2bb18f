runbook "x" {
  title = "a"
  title = "b" # error: syntax.*Attribute redefined
}
