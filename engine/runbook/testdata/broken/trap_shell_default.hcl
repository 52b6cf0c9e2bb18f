runbook "x" {}
step "a" {
  action "exec.run" {
    script = "echo ${HOME:-/root}" # error: shell_interpolation.*double the dollar sign: \$\$\{HOME:-/root\}
  }
}
