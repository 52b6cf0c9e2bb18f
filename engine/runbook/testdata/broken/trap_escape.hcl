runbook "x" {}
check "a" {
  probe "postgres.query" {
    sql = "SELECT '\d+\s'" # error: invalid_escape.*write two: \\\\d # error: invalid_escape.*write two: \\\\s
  }
}
