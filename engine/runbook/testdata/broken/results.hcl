runbook "x" {}
provider "postgres" {
  host = "localhost"
}
check "bars" {
  probe "postgres.query" {
    sql = "SELECT 1"
  }
  assert  = result.row[0].age < 5         # error: unknown_name.*result of query has no "row".*Did you mean "rows"
  message = "${result.rows[0].age} is old"
}
step "a" {
  action "postgres.delete" {
    table = "t"
    where = "x"
  }
  verify "v" {
    check  = check.bars
    assert = result.rowz == [] && self.result.roows == 1 # error: unknown_name.*no "rowz" # error: unknown_name.*result of delete has no "roows"
  }
}
step "b" {
  action "core.log" {
    message = "${step.a.result.deleted} ${step.a.verify.v.result.nope} ${try(step.a.result.fine, "")}" # error: unknown_name.*delete has no "deleted" # error: unknown_name.*query has no "nope"
  }
}
output "o" {
  value = check.bars.result.nothing       # error: unknown_name.*query has no "nothing"
}
