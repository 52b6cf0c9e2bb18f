runbook "x" {}
check "a" { probe "redis.ping" {} } # error: (?s)one_line_block.*check "a" \{\n +probe "redis.ping" \{\n +\}\n +\}
