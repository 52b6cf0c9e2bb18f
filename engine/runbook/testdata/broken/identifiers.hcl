runbook "x" {}
step "a" {
  tïtle = "x" # error: forbidden_character.*Names are made of ASCII letters
  owner = “me” # error: forbidden_character.*typographic quotes
}
