package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A skipped step names what makes its `when` false, and nothing that does not.
func TestWhatMakesAWhenFalse(t *testing.T) {
	const before = `
variable "flag" {
  default = true
}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
variable "long" {
  default = "0123456789012345678901234567890123456789012345678901234567890123456789"
}
locals {
  wanted = !var.flag && check.up.holds
  name   = var.long
}
check "up" {
  probe "fake.get" { name = "up" }
}
check "off" {
  probe "fake.get" { name = "off" }
}
check "each" {
  for_each = ["up", "off"]
  probe "fake.get" { name = each.key }
}
step "gate" {
  precondition "off" {
    probe "fake.get" { name = "off" }
    otherwise = "skip"
  }
}
`
	for when, want := range map[string]string{
		`check.up.holds && !var.flag`:                    "var.flag is true",
		`check.up.holds && (check.off.holds)`:            "check.off fails",
		`check.off.holds || !check.up.holds`:             "check.off fails, check.up holds",
		`!(check.up.holds || check.off.holds)`:           "check.up holds",
		`local.wanted`:                                   "var.flag is true",
		`local.name == "x"`:                              `var.long is "01234567890123456789012345678901234567890123456789012345678…`,
		`var.secret == "x" && check.up.holds`:            "var.secret is (sensitive)",
		`check.each["off"].holds`:                        `check.each["off"] fails`,
		`alltrue([for c in check.each : c.holds])`:       `check.each["up"] holds, check.each["off"] fails`,
		`step.gate.status == "satisfied" && var.flag`:    `step.gate.status is "skipped"`,
		`false && check.up.holds`:                        "",
		`(check.up.holds ? check.off.status : "") == ""`: "check.up holds, check.off fails",
	} {
		w := &world{on: set("up")}
		p := makePlan(t, w, before+"step \"x\" {\n when = "+when+"\n}\n")
		want := want
		if want != "" {
			want = ": " + want
		}
		if diff := cmp.Diff("its `when` is false"+want, p.Steps[len(p.Steps)-1].Reason); diff != "" {
			t.Errorf("%s: -want +got\n%s", when, diff)
		}
	}
}
