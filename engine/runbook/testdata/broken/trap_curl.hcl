runbook "x" {}
step "a" {
  action "exec.run" {
    script = "curl -w %{http_code} http://localhost" # error: shell_interpolation.*double the percent sign: %%\{http_code\}
  }
}
