runbook "x" {
  titel = "A"         # error: unknown_argument.*no argument "titel".*Did you mean "title"
  colour = "red"      # error: unknown_argument.*It takes title, description
  labels {            # error: wrong_shape.*"labels" is an argument
    a = "b"
  }
}
stepp "a" {           # error: unknown_block.*no block "stepp".*Did you mean "step"
}
step "b" {
  aciton "core.log" { # error: unknown_block.*Did you mean "action"
    message = "hello"
  }
  precondition = true # error: wrong_shape.*"precondition" is a block
  time_out = "5s"     # error: unknown_argument.*Did you mean "timeout"
}
nonsense = 1          # error: unknown_argument.*A runbook file has no argument "nonsense"
