runbook "x" {}
provider "postgres" {
  host  = "localhost"
  prot  = 5432           # error: unknown_argument.*provider "postgres" has no argument "prot".*Did you mean "port"
  alias = "replica"
  tls {                  # error: wrong_shape.*A provider holds arguments only
  }
}
provider "postgres" {
  port  = "many"         # error: wrong_type.*"port" takes a number
  alias = "second"
}
provider "postgres" {
  alias = "two words"    # error: invalid_name.*"two words" is no name
}
step "a" {
  probe "postgres.ready" {
    provider = postgres.replcia  # error: unknown_name.*no provider configuration postgres.replcia.*Did you mean "postgres.replica"
  }
}
step "b" {
  probe "postgres.ready" {
    provider = redis.replica     # error: invalid_reference.*cannot use a configuration of "redis"
  }
}
step "c" {
  probe "postgres.ready" {
    provider = "postgres.replica" # error: invalid_reference.*without quotes
  }
}
provider "systemd" {     # error: unknown_provider.*"systemd" cannot be used: not installed
}
