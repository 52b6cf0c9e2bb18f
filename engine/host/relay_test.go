package host

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A line that is too long to be waited for is shown in pieces: wherever it was
// cut, it was cut within a secret here.
func TestSecretsInALongLineAreNotShown(t *testing.T) {
	h, l := newHost(t), newLogs()
	h.Configure("exec", "exec", cty.EmptyObjectVal)
	const times = 20_000
	o := h.Act(t.Context(), "exec", schema.Operation{Name: "run", Kind: schema.Action, Arguments: object(map[string]string{
		"script": "printf '" + secret + "%.0s' {1..20000}",
	})}, l.add)
	if o.State != schema.Done {
		t.Fatal(o.State, o.Failure)
	}
	if said := strings.Join(l.lines, ""); strings.ReplaceAll(said, "(sensitive)", "") != "" || strings.Count(said, "(sensitive)") != times {
		t.Errorf("%d lines, beside secrets: %.200q", len(l.lines), strings.ReplaceAll(said, "(sensitive)", ""))
	}
}

// Wherever a line is cut, in whatever form a secret is in it: nothing of it is
// shown, and all the rest is.
func TestLineInParts(t *testing.T) {
	h := New(Options{})
	h.redactor.Add(secret)
	form := hex.EncodeToString([]byte(secret))
	for at := 1; at < len(form); at++ {
		var said []schema.Progress
		r := newRelay(h, func(p schema.Progress) { said = append(said, p) })
		for _, e := range []protocol.Event{
			{Stream: "stdout", Text: "key " + form[:at], Partial: true},
			{Stream: "stderr", Text: "beside"},
			{Text: "own words"},
			{Stream: "stdout", Text: form[at:], Partial: true},
			{Stream: "stdout", Text: ", said"},
			{Stream: "stdout", Text: "next"},
		} {
			r.event(e)
		}
		var out, others []string
		for _, p := range said {
			if p.Stream == "stdout" {
				out = append(out, p.Message)
			} else {
				others = append(others, p.Stream+" "+p.Message)
			}
		}
		if diff := cmp.Diff("key (sensitive), saidnext", strings.Join(out, "")); diff != "" {
			t.Errorf("cut at %d: %s", at, diff)
		}
		if diff := cmp.Diff([]string{"stderr beside", " own words"}, others); diff != "" {
			t.Errorf("cut at %d: %s", at, diff)
		}
	}
}

// What was dropped may have been half of a secret: the other half is not shown.
func TestDroppedPartOfALine(t *testing.T) {
	h := New(Options{})
	h.redactor.Add(secret)
	for name, c := range map[string]struct {
		events []protocol.Event
		want   string
	}{
		"after a part": {
			[]protocol.Event{{Text: "a " + secret[:5], Partial: true}, {Text: "b", Dropped: 4}},
			"a |b|(4 bytes of log were dropped here)",
		},
		"the end of a line": {
			[]protocol.Event{{Text: "a " + secret[:5], Dropped: 4}, {Text: "b"}},
			"a |(4 bytes of log were dropped here)|b",
		},
		"the end of a part": {
			[]protocol.Event{{Text: "a " + secret[:5], Partial: true, Dropped: 4}, {Text: secret[7:], Partial: true}, {Text: " more"}, {Text: "b"}},
			"a |(4 bytes of log were dropped here)|b",
		},
		"the end of what progress says": {
			[]protocol.Event{{Progress: true, Text: secret[:5], Dropped: 4}, {Text: "b"}},
			"|(4 bytes of log were dropped here)|b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			r := newRelay(h, func(p schema.Progress) { said = append(said, p.Message) })
			for _, e := range c.events {
				r.event(e)
			}
			if diff := cmp.Diff(c.want, strings.Join(said, "|")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
