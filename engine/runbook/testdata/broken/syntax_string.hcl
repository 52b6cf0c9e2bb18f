runbook "x" {
  title = "no end # error: syntax.*Invalid multi-line string
}
