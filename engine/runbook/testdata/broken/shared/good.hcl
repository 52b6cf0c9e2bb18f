check "bars" { # error: duplicate.*check "bars" is already declared at .*include_paths.hcl:12
  assert = true
}
