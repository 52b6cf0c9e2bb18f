runbook "x" {}
provider "postgres" {
  host = "localhost"
}
step "a" {
  probe "postgres.qurey" {        # error: unknown_operation.*no probe "qurey".*Did you mean "postgres.query"
    sql = "SELECT 1"
  }
}
step "b" {
  action "postgres.query" {       # error: unknown_operation.*"postgres.query" is a provider's probe, not an action
    sql = "SELECT 1"
  }
}
check "c" {
  probe "redis.flushdb" {}        # error: unknown_operation.*is a provider's action, not a probe: it changes something
}
step "d" {
  probe "postgres.query" {        # error: missing_argument.*probe "postgres.query" needs the argument "sql"
    slq    = "SELECT 1"           # error: unknown_argument.*no argument "slq".*Did you mean "sql"
    params = "x"                  # error: wrong_type.*"params" takes a list
  }
}
step "e" {
  probe "postgres.query" {
    sql = null                    # error: invalid_argument.*is required, and this is null
    options {                     # error: wrong_shape.*A probe holds arguments only
    }
  }
}
step "f" {
  action "redis.frobnicate" {}    # error: unknown_operation.*It has redis.flushdb
}
