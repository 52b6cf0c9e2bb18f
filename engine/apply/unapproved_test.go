package apply_test

import "testing"

// A run that nobody was asked about, since nothing was to be done, does nothing
// either where something is to be done by now.
func TestNothingActsInARunThatNobodySaidYesTo(t *testing.T) {
	tr := newTrial(t, `
step "gate" {
  precondition "on" {
    assert = true
  }
}
step "set" {
  goal "on" {
    probe "fake.get" {
      name = "a"
    }
  }
  action "fake.set" {
    name  = "a"
    value = "on"
  }
}
`)
	tr.opts.Unapproved = true
	tr.expect(tr.run(), "blocked: gate=satisfied set=blocked")
	if len(tr.calls) > 0 {
		t.Errorf("it acted: %v", tr.calls)
	}
	tr.opts.Unapproved = false
	tr.expect(tr.again(), "succeeded: gate=satisfied set=done")
}
