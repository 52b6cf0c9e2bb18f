package protocol

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
	"google.golang.org/protobuf/proto"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

func FuzzDecodeValue(f *testing.F) {
	for _, v := range []cty.Value{
		cty.StringVal("x"), cty.NumberFloatVal(1.5), cty.EmptyObjectVal, cty.NullVal(cty.DynamicPseudoType),
		cty.ObjectVal(map[string]cty.Value{"a": cty.ListVal([]cty.Value{cty.True}), "b": cty.MapVal(map[string]cty.Value{"k": cty.Zero})}),
	} {
		w, err := encodeValue(v.Mark(schema.Sensitive))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(w.Type, w.Msgpack, "/a/0")
	}
	f.Fuzz(func(t *testing.T, ty, packed []byte, sensitive string) {
		v, err := decodeValue(&wire.Value{Type: ty, Msgpack: packed, Sensitive: []string{sensitive}})
		if err != nil {
			return
		}
		if !v.IsWhollyKnown() || !v.ContainsMarked() {
			t.Fatalf("decoded to %#v", v)
		}
		w, err := encodeValue(v)
		if err != nil {
			t.Fatalf("cannot be encoded again: %v", err)
		}
		if again, err := decodeValue(w); err != nil || !again.RawEquals(v) {
			t.Fatalf("comes back as %#v (%v), not %#v", again, err, v)
		}
	})
}

// FuzzDecodeMessages feeds whole messages to the decoders of both ends. Nothing
// that comes out of them is larger, deeper or more than it may be.
func FuzzDecodeMessages(f *testing.F) {
	for _, m := range soundMessages(f) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var op wire.Operation
		if proto.Unmarshal(b, &op) == nil {
			if got, err := decodeOperation(&op); err == nil && got.Arguments != cty.NilVal && got.Arguments.ContainsMarked() {
				t.Fatal("a provider meets marks")
			}
		}
		var o wire.Outcome
		if proto.Unmarshal(b, &o) == nil {
			if got, err := decodeOutcome(&o); err == nil {
				fits(t, got.Failure)
				if _, err := decodeOutcome(encodeOutcome(got)); err != nil {
					t.Fatalf("an outcome cannot be sent on: %v", err)
				}
			}
		}
		var s wire.SchemaResponse
		if proto.Unmarshal(b, &s) == nil {
			if got, err := decodeSchema(&s); err == nil {
				_ = got.Check()
				if _, err := encodeSchema(got); err != nil {
					t.Fatalf("a schema cannot be sent on: %v", err)
				}
			}
		}
		var d wire.Description
		if proto.Unmarshal(b, &d) == nil {
			if got, err := decodeDescription(&d); err == nil {
				fits(t, got.Failure)
				for unit, n := range got.Impact {
					if n < 0 {
						t.Fatalf("%d %q", n, unit)
					}
				}
			}
		}
		var e wire.ActEvent
		if proto.Unmarshal(b, &e) == nil {
			if got := decodeEvent(&e); len(got.Text) > MaxLogLine {
				t.Fatalf("a line of %d bytes", len(got.Text))
			}
		}
		var c wire.ConfigureResponse
		if proto.Unmarshal(b, &c) == nil {
			fits(t, decodeFailure(c.GetFailure()))
		}
	})
}

// fits checks that no text of a failure is longer than a text may be.
func fits(t *testing.T, f *schema.Failure) {
	t.Helper()
	if f == nil {
		return
	}
	for _, text := range []string{f.Code, f.Message, f.Remedy, f.Argument} {
		if len(text) > maxText+len("…") {
			t.Fatalf("a text of %d bytes", len(text))
		}
	}
}

// soundMessages has one of each message that is decoded.
func soundMessages(t testing.TB) []proto.Message {
	t.Helper()
	nested := schema.Attribute{Name: "in", Type: cty.List(cty.Object(map[string]cty.Type{"a": cty.String})), Doc: "In.", Nested: []schema.Attribute{{Name: "a", Type: cty.String, Doc: "A.", Sensitive: true}}}
	object := schema.Object{Attributes: []schema.Attribute{{Name: "ok", Type: cty.Bool, Doc: "Ok."}, {Name: "summary", Type: cty.String, Doc: "Summary.", Default: `"x"`}, nested}}
	result := cty.ObjectVal(map[string]cty.Value{
		"ok": cty.True, "summary": cty.StringVal("well").Mark(schema.Sensitive),
		"in": cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("x")})}), "n": cty.NumberFloatVal(1.5), "any": cty.NullVal(cty.DynamicPseudoType),
	})
	op, err := encodeOperation(schema.Operation{
		Name: "x", Kind: schema.Action, Arguments: result, Unknown: []string{"a"}, Handle: "call-1", AttemptLock: "/l", Key: "k",
		Limits: schema.Impact{"rows": 1}, Answers: cty.EmptyObjectVal,
	})
	if err != nil {
		t.Fatal(err)
	}
	provider, err := encodeSchema(&schema.Provider{Name: "x", Version: "1", Doc: "X.", Config: object, Operations: []schema.OperationSchema{
		{Name: "look", Kind: schema.Probe, Doc: "Looks.", Arguments: object, Result: object},
		{Name: "act", Kind: schema.Action, Doc: "Acts.", Arguments: object, Result: object, Settling: schema.Keyed, Counts: []string{"rows"}, Enforces: []string{"rows"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	failure := &schema.Failure{Code: "refused", Message: "no", Remedy: "ask", Argument: "a", Retryable: true, RetryAfterSeconds: 2.5}
	return []proto.Message{
		op, provider,
		encodeOutcome(schema.Outcome{State: schema.Done, Result: result}),
		encodeOutcome(schema.Outcome{State: schema.FailedPartial, Failure: failure}),
		encodeOutcome(schema.Outcome{State: schema.Ask, Question: &schema.Question{Message: "may I?", Answers: object}}),
		encodeDescription(schema.Description{
			Effects: []schema.Effect{{Resource: "x://", Mode: schema.Delete}}, Destructive: true, Command: []string{"x"},
			Impact: schema.Impact{"rows": 3}, Sample: []string{"a"}, Failure: failure,
		}),
		encodeEvent(Event{Text: "a line", Stream: "stderr", Partial: true, Dropped: 2}),
		encodeEvent(Event{Text: "half", Progress: true, Done: 1, Total: 2}),
	}
}
