runbook "x" {
  title: "no" # error: syntax.*To set an argument, use the equals sign
  owner = "me"
}
