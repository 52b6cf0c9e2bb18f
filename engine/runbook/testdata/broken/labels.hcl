runbook {        # error: invalid_label.*needs a name: runbook "name"
}
variable "a" "b" { # error: invalid_label.*takes one label
  default = 1
}
step "1st" {     # error: invalid_name.*"1st" is no name
}
locals "x" {     # error: invalid_label.*A locals block takes no label
}
step "ok" {
  action "corelog" { # error: invalid_label.*PROVIDER.NAME
  }
}
step "also" {
  action {       # error: invalid_label.*An action needs a label
  }
}
step "third" {
  action "core.log" "x" { # error: invalid_label.*takes one label
    message = "m"
  }
}
