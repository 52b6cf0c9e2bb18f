package protocol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

func TestValueRoundTrip(t *testing.T) {
	huge := cty.MustParseNumberVal("123456789012345678901234567890.5")
	for name, v := range map[string]cty.Value{
		"nothing": cty.NilVal,
		"null":    cty.NullVal(cty.DynamicPseudoType),
		"scalars": cty.TupleVal([]cty.Value{cty.StringVal("ö\x00"), cty.True, huge, cty.NumberFloatVal(-0.1), cty.NumberIntVal(1 << 60)}),
		"empty":   cty.ObjectVal(map[string]cty.Value{"l": cty.ListValEmpty(cty.String), "m": cty.MapValEmpty(cty.Bool), "o": cty.EmptyObjectVal, "t": cty.EmptyTupleVal, "s": cty.SetValEmpty(cty.Number)}),
		"rows": cty.ListVal([]cty.Value{
			cty.ObjectVal(map[string]cty.Value{"a": cty.NumberIntVal(1), "b": cty.NullVal(cty.DynamicPseudoType)}),
			cty.ObjectVal(map[string]cty.Value{"a": cty.NullVal(cty.Number), "b": cty.NullVal(cty.DynamicPseudoType)}),
		}),
		"marks": cty.ObjectVal(map[string]cty.Value{
			"a/b~": cty.StringVal("x").Mark(schema.Sensitive),
			"":     cty.StringVal("empty name").Mark(schema.Sensitive),
			"l":    cty.ListVal([]cty.Value{cty.StringVal("p"), cty.StringVal("q").Mark(schema.Sensitive)}),
			"m":    cty.MapVal(map[string]cty.Value{"0": cty.NumberIntVal(1).Mark(schema.Sensitive)}),
			"o":    cty.ObjectVal(map[string]cty.Value{"in": cty.True.Mark(schema.Sensitive)}).Mark(schema.Sensitive),
			"t":    cty.TupleVal([]cty.Value{cty.NullVal(cty.String).Mark(schema.Sensitive)}),
			"s":    cty.SetVal([]cty.Value{cty.StringVal("x")}).Mark(schema.Sensitive),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			w, err := encodeValue(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeValue(w)
			if err != nil {
				t.Fatal(err)
			}
			if got == cty.NilVal && v == cty.NilVal {
				return
			}
			if !got.RawEquals(v) {
				t.Fatalf("got %#v, want %#v", got, v)
			}
		})
	}
}

func TestEncodeRefusesUnknown(t *testing.T) {
	for _, v := range []cty.Value{cty.DynamicVal, cty.TupleVal([]cty.Value{cty.UnknownVal(cty.String)})} {
		if _, err := encodeValue(v); err == nil {
			t.Errorf("%#v was encoded", v)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, w := range map[string]*wire.Value{
		"no type":            {Msgpack: []byte{0xc0}},
		"null type":          {Type: []byte("null"), Msgpack: []byte{0xc0}},
		"no value":           {Type: []byte(`"string"`)},
		"a huge list":        {Type: []byte(`["list","string"]`), Msgpack: []byte{0xdd, 0xff, 0xff, 0xff, 0xff}},
		"a huge map":         {Type: []byte(`["map","string"]`), Msgpack: []byte{0xdf, 0x7f, 0xff, 0xff, 0xff}},
		"an unknown value":   {Type: []byte(`"string"`), Msgpack: []byte{0xd4, 0, 0}},
		"bytes after it":     {Type: []byte(`"bool"`), Msgpack: []byte{0xc2, 0xc2}},
		"another type":       {Type: []byte(`"bool"`), Msgpack: []byte{0xa1, 'x'}},
		"a list of any type": {Type: []byte(`["list","dynamic"]`), Msgpack: append([]byte{0x92, 0x92, 0xc4, 6}, append([]byte(`"bool"`), 0xc2, 0x92, 0xc4, 8, '"', 's', 't', 'r', 'i', 'n', 'g', '"', 0xa0)...)},
		"a deep type":        {Type: deepType(10_000), Msgpack: []byte{0xc0}},
		"a large value":      {Type: []byte(`"string"`), Msgpack: append([]byte{0xdb, 0, 0x80, 0, 1}, make([]byte, MaxResult+1)...)},
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := decodeValue(w); err == nil {
				t.Fatalf("decoded to %#v", v)
			}
		})
	}
}

func deepType(n int) []byte {
	var b []byte
	for range n {
		b = append(b, `["list",`...)
	}
	return b
}

// Only brackets that nest count, not those in the names of attributes.
func TestBracketsInNamesDoNotNest(t *testing.T) {
	for _, name := range []string{strings.Repeat("[{", 5000), strings.Repeat(`"[`, 1000), strings.Repeat(`\`, 999) + strings.Repeat("{", 999)} {
		v := cty.ObjectVal(map[string]cty.Value{name: cty.ListVal([]cty.Value{cty.True})})
		w, err := encodeValue(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeValue(w); err != nil || !got.RawEquals(v) {
			t.Errorf("%.20q …: %.200v", name, err)
		}
	}
}

// A provider may point at each of a million parts: that must not take a million
// walks.
func TestManySensitiveParts(t *testing.T) {
	parts := make([]cty.Value, 200_000)
	pointers := make([]string, len(parts))
	for i := range parts {
		parts[i], pointers[i] = cty.True, fmt.Sprintf("/%d", i)
	}
	marked := markAt(cty.ListVal(parts), pointers)
	for i, part := range marked.AsValueSlice() {
		if !part.HasMark(schema.Sensitive) {
			t.Fatalf("part %d is not marked", i)
		}
	}
}

func TestMarkAtNowhereMarksTheWhole(t *testing.T) {
	v := cty.ObjectVal(map[string]cty.Value{"a": cty.TupleVal([]cty.Value{cty.True})})
	for _, p := range []string{"", "x", "/b", "/a/7", "/a/0/z"} {
		if got := markAt(v, []string{p}); !got.HasMarkDeep(schema.Sensitive) {
			t.Errorf("%q marks nothing", p)
		}
	}
}

func TestWordsRoundTrip(t *testing.T) {
	d := schema.Description{
		Effects:    []schema.Effect{{Resource: "a", Mode: schema.Read}, {Resource: "b", Mode: schema.Write}, {Resource: "c", Mode: schema.Delete}},
		Undeclared: true, Destructive: true, Settling: schema.Keyed, Command: []string{"x"}, Summary: "s",
		Impact: schema.Impact{"rows": 1}, Sample: []string{"k"}, Failure: &schema.Failure{Code: "c", Message: "m", Remedy: "r", Retryable: true, RetryAfterSeconds: 2.5, Argument: "a"},
	}
	if got, err := decodeDescription(encodeDescription(d)); err != nil || !cmp.Equal(d, got) {
		t.Errorf("%v: %+v", err, got)
	}
	for _, s := range []schema.Settling{"", schema.Manual, schema.Observed, schema.Keyed, schema.Idempotent} {
		if got := decodeSettling(encodeSettling(s)); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	for _, s := range []schema.State{schema.Unknown, schema.Done, schema.FailedClean, schema.FailedPartial, schema.Running, schema.Ask} {
		if got, err := decodeOutcome(encodeOutcome(schema.Outcome{State: s})); err != nil || got.State != s {
			t.Errorf("%q comes back as %q (%v)", s, got.State, err)
		}
	}
}
