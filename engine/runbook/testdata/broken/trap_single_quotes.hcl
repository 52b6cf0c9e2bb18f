runbook "x" {
  title = 'x' # error: syntax.*Invalid character.*Single quotes are not valid
}
