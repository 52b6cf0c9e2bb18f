runbook "y" {}     # error: invalid_include.*a runbook belongs into a runbook's own file
step "s" {         # error: invalid_include.*a step belongs
}
varable "v" {      # error: unknown_block.*An included file has no block "varable".*Did you mean "variable"
}
notify "n" {       # error: missing_argument.*A notify block needs the argument "on" # error: missing_block.*needs an action
}
title = "x"        # error: unknown_argument
check "c" {
  assert = var.nope # error: unknown_name.*no variable "nope"
}
