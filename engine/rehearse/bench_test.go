package rehearse_test

import (
	"testing"

	"github.com/runbook-engine/runbook/engine/rehearse"
)

// soaking holds for half an hour, and is taken back at its end.
const soaking = `
runbook "x" {
  on_failure = "rollback"
}
step "deploy" {
  action "fake.set" {}
  verify "soaks" {
    probe "fake.look" {}
    hold_for = "30m"
    every    = "10s"
  }
  rollback {
    action "fake.start" {}
    verify "is_back" {
      probe "fake.look" {}
      hold_for = "5m"
    }
  }
}
step "finish" {
  action "fake.shoot" {}
}
`

const soakingTest = `
mock "fake.look" { returns = { ok = true } }
mock "fake.set" {}
mock "fake.start" {}
mock "fake.shoot" { fails = "broken" }
test "it_is_taken_back" {
  expect {
    outcome = "rolled_back"
    status  = { "step.deploy" = "rolled_back", "step.finish" = "failed" }
  }
}
`

// BenchmarkSoakWithRollback rehearses 35 minutes: a soak of half an hour, what
// breaks after it, and the way back.
func BenchmarkSoakWithRollback(b *testing.B) {
	f := loaded(b, soaking, soakingTest)
	for b.Loop() {
		result, diags := f.Run(b.Context(), f.Tests[0], open, rehearse.Options{})
		if diags.HasErrors() || !result.OK() || result.Took.Minutes() < 35 {
			b.Fatal(result.Problems, diags, result.Took)
		}
	}
}
