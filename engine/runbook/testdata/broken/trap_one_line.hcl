runbook "x" {}
check "a" {
  probe "http.get" { url = "http://localhost", timeout = "3s" } # error: (?s)one_line_block.*probe "http.get" \{\n +url += "http://localhost"\n +timeout = "3s"\n +\}
}
