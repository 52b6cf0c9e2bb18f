runbook "x" {}
step "a" {
  action "exec.run" {
    script = "echo ${HOME}" # error: shell_interpolation.*no "HOME" here.*\$\$\{HOME\}
  }
}
