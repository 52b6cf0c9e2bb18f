runbook "x" {}
provider "postgres" {
  host = "localhost"
}
step "a" {
  action "postgres.delete" {
    table = "t"
    where = "x"
  }
  limit = { row = 5, rows = -1 }  # error: invalid_limit.*does not count "row"; it counts rows and bytes.*Did you mean "rows" # error: invalid_limit.*0 or more
}
step "b" {
  action "core.log" {
    message = "m"
  }
  limit = { rows = 5 }            # error: invalid_limit.*core.log counts nothing
}
step "c" {
  action "postgres.delete" {
    table = "t"
    where = "x"
  }
  limit = 5                       # error: invalid_limit.*A limit is an object, such as \{ rows = 100 \}
}
step "d" {
  action "postgres.delete" {
    table = "t"
    where = "x"
  }
  limit = { rows = "many" }       # error: invalid_limit.*whole number
}
