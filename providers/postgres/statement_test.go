package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                                     nil,
		"SELECT 1":                             {"select", "1"},
		"-- DELETE\nSELECT a":                  {"select", "a"},
		"/* a /* nested */ DROP */ Insert":     {"insert"},
		"/* open":                              nil,
		"SELECT 'it''s DROP' || x":             {"select", "x"},
		`SELECT E'it\'s DROP' || x`:            {"select", "x"},
		`SELECT 'back\' || drop_it`:            {"select", "drop_it"},
		`SELECT "odd ""name"" DROP".b`:         {"select", `"odd ""name"" DROP"`, "b"},
		"SELECT $1, $12::int":                  {"select", "$1", "$12", "int"},
		"DO $$ BEGIN DROP; END $$ x":           {"do", "$$ BEGIN DROP; END $$", "x"},
		"SELECT $tag$ $$ DROP $tag$, $2":       {"select", "$tag$ $$ DROP $tag$", "$2"},
		"SELECT $tag$ open":                    {"select", "$tag$ open"},
		"SELECT a$1 FROM b":                    {"select", "a$1", "from", "b"},
		"SELECT größe FROM bars":               {"select", "größe", "from", "bars"},
		"(WITH x AS (DELETE FROM t) SELECT 1)": {"(", "with", "x", "as", "(", "delete", "from", "t", ")", "select", "1", ")"},
		"$":                                    {"$"},
		"'":                                    nil,
	} {
		if diff := cmp.Diff(want, tokens(sql)); diff != "" {
			t.Errorf("%s\n%s", sql, diff)
		}
	}
}

func TestFilters(t *testing.T) {
	for where, want := range map[string]bool{
		"": false, "true": false, "TRUE": false, "1 = 1": false, "(1=1) OR NOT false": false, "$1": false, "'a' = 'a'": false, "-- id = 1\ntrue": false,
		"NULL IS NULL": false, "id = 1": true, `"true" = 1`: true, "EXISTS (SELECT FROM other)": true, "true AND größe > 1": true,
	} {
		if got := filters(tokens(where)); got != want {
			t.Errorf("%q: %v", where, got)
		}
	}
}

func TestParameters(t *testing.T) {
	for sql, want := range map[string]int{
		"time > $1": 1, "a = $2 OR b = $10": 10, "'$3'": 0, "-- $1": 0, "$$ $4 $$": 0, `"$5"`: 0, "a$6": 0, "$99999999999999999999": 0,
	} {
		if got := parameters(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

func TestParseTable(t *testing.T) {
	for name, want := range map[string]table{
		"bars": {"bars"}, "market.bars": {"market", "bars"}, `"Odd.Name"`: {"Odd.Name"}, `market."a""b"`: {"market", `a"b`},
		"": nil, "a.": nil, ".a": nil, "a.b.c": nil, `"a`: nil, `"a"b`: nil, `"`: nil, `""`: nil, "a\x00": nil,
		"seventy_letters_are_too_many_for_a_name_in_postgresql_and_would_be_cut": nil,
	} {
		got, f := parseTable("table", name)
		if diff := cmp.Diff(want, got); diff != "" || (f == nil) != (want != nil) {
			t.Errorf("%q: %v\n%s", name, f, diff)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, seed := range []string{"SELECT $1", "$a$ x $a$", "E'\\'", "/* /* */", `"a""b`, "--", "$1$", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, token := range tokens(sql) {
			if token == "" {
				t.Fatalf("an empty token in %q", sql)
			}
		}
		_, _, _, _ = parameters(sql), destructive(sql), writesOutside(sql), filters(tokens(sql))
		if name, f := parseTable("table", sql); f == nil && (len(name) < 1 || len(name) > 2) {
			t.Fatalf("%q is the name %q", sql, name)
		}
	})
}
