package schema_test

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/runbook-engine/runbook/providers/schema"
)

// TestConvertIsThatOfCty converts large values of many shapes as cty does, which
// compares all with all.
func TestConvertIsThatOfCty(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	elements := map[string]func(i int) cty.Value{
		"string":  func(i int) cty.Value { return cty.StringVal(strconv.Itoa(i)) },
		"number":  func(i int) cty.Value { return cty.NumberIntVal(int64(i)) },
		"bool":    func(i int) cty.Value { return cty.BoolVal(i%3 == 0) },
		"null":    func(int) cty.Value { return cty.NullVal(cty.DynamicPseudoType) },
		"unknown": func(int) cty.Value { return cty.UnknownVal(cty.String) },
		"marked":  func(i int) cty.Value { return cty.StringVal(strconv.Itoa(i)).Mark("m") },
		"tuple": func(i int) cty.Value {
			return cty.TupleVal([]cty.Value{cty.NumberIntVal(int64(i)), cty.StringVal("x")})
		},
		"object": func(i int) cty.Value { return cty.ObjectVal(map[string]cty.Value{"a": cty.NumberIntVal(int64(i))}) },
		"more": func(i int) cty.Value {
			return cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("1"), "b": cty.BoolVal(i > 50)})
		},
		"list": func(i int) cty.Value { return cty.ListVal([]cty.Value{cty.StringVal(strconv.Itoa(i))}) },
	}
	mixtures := [][]string{
		{"string"}, {"number"}, {"string", "number"}, {"string", "bool", "number"}, {"bool", "null"}, {"string", "unknown"}, {"marked", "string"},
		{"tuple"}, {"tuple", "list"}, {"object"}, {"object", "null"}, {"object", "more"}, {"more"}, {"list"}, {"list", "string"}, {"null"},
	}
	optional := cty.ObjectWithOptionalAttrs(map[string]cty.Type{"a": cty.String, "b": cty.Bool}, []string{"b"})
	var wanted []cty.Type
	for _, e := range []cty.Type{cty.String, cty.Number, cty.Bool, cty.DynamicPseudoType, cty.List(cty.String), cty.Map(cty.String), optional, cty.Object(map[string]cty.Type{"a": cty.Number})} {
		wanted = append(wanted, cty.List(e), cty.Set(e), cty.Map(e))
	}
	compared := 0
	for _, mixture := range mixtures {
		var list []cty.Value
		object := map[string]cty.Value{}
		for i := range 150 {
			v := elements[mixture[random.IntN(len(mixture))]](i)
			list = append(list, v)
			object["k"+strconv.Itoa(i)] = v
		}
		for _, v := range []cty.Value{cty.TupleVal(list), cty.ObjectVal(object), cty.ObjectVal(map[string]cty.Value{"in": cty.TupleVal(list)})} {
			for _, want := range append(wanted, cty.Object(map[string]cty.Type{"in": cty.List(cty.String)}), cty.Tuple([]cty.Type{cty.String})) {
				theirs, wrong := convert.Convert(v, want)
				ours, err := schema.Convert(v, want)
				if (wrong == nil) != (err == nil) || wrong == nil && !ours.RawEquals(theirs) {
					t.Errorf("%v to %s: %.200s %v, cty: %.200s %v", mixture, want.FriendlyNameForConstraint(), fmt.Sprintf("%#v", ours), err, fmt.Sprintf("%#v", theirs), wrong)
				}
				if wrong == nil {
					compared++
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d conversions are possible", compared)
	}
}

// TestConvertOfMany needs no time that anybody would notice for what takes cty
// minutes.
func TestConvertOfMany(t *testing.T) {
	var list []cty.Value
	object := map[string]cty.Value{}
	for i := range 100_000 {
		list = append(list, cty.StringVal(strconv.Itoa(i)))
		object[strconv.Itoa(i)] = cty.NumberIntVal(int64(i))
	}
	for _, want := range []cty.Type{cty.List(cty.String), cty.List(cty.Number), cty.Set(cty.DynamicPseudoType), cty.List(cty.DynamicPseudoType)} {
		if got, err := schema.Convert(cty.TupleVal(list), want); err != nil || got.LengthInt() != len(list) {
			t.Errorf("%s: %v", want.FriendlyName(), err)
		}
	}
	if got, err := schema.Convert(cty.ObjectVal(object), cty.Map(cty.DynamicPseudoType)); err != nil || got.LengthInt() != len(object) {
		t.Error(err)
	}
}

// TestConvertRefuses what would take minutes here too.
func TestConvertRefuses(t *testing.T) {
	var kinds, alike []cty.Value
	for i := range 20_000 {
		kinds = append(kinds, cty.ObjectVal(map[string]cty.Value{"a" + strconv.Itoa(i): cty.True}))
	}
	for _, text := range collisions(6000) {
		alike = append(alike, cty.StringVal(text))
	}
	for want, v := range map[string]cty.Value{"more than 50 types": cty.TupleVal(kinds), "made to look alike": cty.TupleVal(alike)} {
		if _, err := schema.Convert(v, cty.Set(cty.DynamicPseudoType)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// collisions are texts whose hashes in cty are one: CRC-32 is linear, so that
// parts which leave it as it is can be put together at will.
func collisions(n int) []string {
	table := crc32.MakeTable(crc32.IEEE)
	sum := func(s string) uint32 { return crc32.Checksum([]byte(strconv.Quote(s)), table) }
	// Of 33 parts of which each flips some bits of the sum, and of 32 bits, some
	// parts flip none together: the kernel of the matrix, found for blocks of 48.
	const block = 48
	base := strings.Repeat("A", block)
	flip := func(at int) uint32 {
		b := []byte(base)
		b[at] ^= 1
		return sum(string(b)) ^ sum(base)
	}
	rows := make([]uint32, block)
	sets := make([]uint64, block)
	for i := range rows {
		rows[i], sets[i] = flip(i), 1<<i
	}
	var kernel []uint64
	for bit := range 32 {
		pivot := -1
		for i := range rows {
			if rows[i]>>bit&1 == 0 || rows[i]&(1<<bit-1) != 0 {
				continue
			}
			if pivot < 0 {
				pivot = i
				continue
			}
			rows[i] ^= rows[pivot]
			sets[i] ^= sets[pivot]
		}
		if pivot >= 0 {
			rows = append(rows[:pivot], rows[pivot+1:]...)
			sets = append(sets[:pivot], sets[pivot+1:]...)
		}
	}
	kernel = sets
	var found []string
	for choice := range n {
		b := []byte(base)
		for i, set := range kernel {
			if choice>>i&1 == 1 {
				for at := range block {
					if set>>at&1 == 1 {
						b[at] ^= 1
					}
				}
			}
		}
		found = append(found, string(b))
	}
	return found
}

// TestCrowdedTakesRepetitions: a value that is there again costs one look.
func TestCrowdedTakesRepetitions(t *testing.T) {
	list := make([]cty.Value, 100_000)
	for i := range list {
		list[i] = cty.StringVal(strconv.Itoa(i % 3))
	}
	got, err := schema.Convert(cty.TupleVal(list), cty.Set(cty.String))
	if err != nil || got.LengthInt() != 3 {
		t.Errorf("%#v, %v", got, err)
	}
}
