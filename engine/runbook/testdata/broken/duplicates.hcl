runbook "x" {}
variable "a" {
  default = 1
}
variable "a" { # error: duplicate.*variable "a" is already declared at .*duplicates.hcl:2
  default = 2
}
locals {
  b = 1
}
locals {
  b = 2 # error: duplicate.*local "b"
}
step "s" {
  precondition "p" {
    assert = true
  }
  precondition "p" { # error: duplicate.*already has a precondition "p"
    assert = true
  }
}
step "s" { # error: duplicate.*step "s"
}
output "o" {
  value = 1
}
output "o" { # error: duplicate.*output "o"
  value = 1
}
check "c" {
  assert = true
}
check "c" { # error: duplicate.*check "c"
  assert = true
}
provider "postgres" {
  host = "a"
}
provider "postgres" { # error: duplicate.*provider "postgres"
  host = "b"
}
