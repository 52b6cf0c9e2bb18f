runbook "x" { # error: syntax.*Unclosed configuration block
