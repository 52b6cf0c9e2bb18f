package address_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/address"
)

func TestString(t *testing.T) {
	tests := []struct {
		step address.Step
		want string
	}{
		{address.New("backup"), `step.backup`},
		{address.New("service").Instance("dashboard"), `step.service["dashboard"]`},
		{address.New("service").Instance(`a"b\${c}%{d}$e` + "\n\x01é"), `step.service["a\"b\\$${c}%%{d}$e\n\u0001é"]`},
		{address.New("service").Unknown(), `step.service[*]`},
		{address.New("call").Step("inner"), `step.call.step.inner`},
		{address.New("call").Instance("x").Step("inner").Unknown(), `step.call["x"].step.inner[*]`},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.step.String()); diff != "" {
			t.Error(diff)
		}
		back, err := address.Parse(tt.want)
		if err != nil {
			t.Error(err)
		} else if address.Compare(back, tt.step) != 0 {
			t.Errorf("%s came back as %s", tt.want, back)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "step", "step.", "x", "check.a", "step.1", "step.a.", "step.a.b", "step.a[", "step.a[1]", `step.a["x"`, `step.a["x`,
		`step.a["x"]y`, `step.a["\`, `step.a["\q"]`, `step.a["\uD800"]`, "step.a.step.", "step.a[*].x", "step.é", " step.a",
	} {
		if s, err := address.Parse(text); err == nil {
			t.Errorf("%q was read as %s", text, s)
		}
	}
}

func TestCompare(t *testing.T) {
	want := []string{
		"step.a", `step.a.step.x`, `step.a["1"]`, `step.a["1"].step.x`, `step.a["2"]`, "step.a[*]", "step.b", "step.b.step.a", "step.b.step.b",
	}
	steps := make([]address.Step, len(want))
	for i, text := range want {
		var err error
		if steps[i], err = address.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(steps)
	slices.SortFunc(steps, address.Compare)
	var got []string
	for _, s := range steps {
		got = append(got, s.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("step.a")
	f.Add(`step.a["k"].step.b[*]`)
	f.Add(`step.a["\u00e9$${x}"]`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := address.Parse(text)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		back, err := address.Parse(s.String())
		if err != nil || address.Compare(s, back) != 0 {
			t.Errorf("%q was printed as %q and came back as %q: %v", text, s, back, err)
		}
	})
}
