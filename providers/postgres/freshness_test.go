package postgres_test

import (
	"strings"
	"testing"
)

func TestFreshness(t *testing.T) {
	l := newLab(t,
		`CREATE TABLE bars (time timestamptz, local timestamp, day date, symbol text, n int)`,
		`INSERT INTO bars SELECT now() - make_interval(secs => i * 300), now() - interval '1 hour', current_date, CASE WHEN i < 10 THEN 'USDCOP' ELSE 'EURUSD' END, i FROM generate_series(1, 20) AS i`,
		`CREATE TABLE empty (time timestamptz)`,
		`CREATE TABLE nulls (time timestamptz)`, `INSERT INTO nulls VALUES (NULL), (NULL)`,
		`CREATE TABLE future (time timestamptz)`, `INSERT INTO future VALUES (now() + interval '5 hours')`,
		`CREATE TABLE skewed (time timestamptz)`, `INSERT INTO skewed VALUES (now() + interval '2 seconds')`,
		`CREATE TABLE endless (time timestamptz)`, `INSERT INTO endless VALUES ('infinity')`,
		`CREATE TABLE ancient (time timestamptz)`, `INSERT INTO ancient VALUES ('0044-03-15 BC')`,
		`CREATE SCHEMA market`, `CREATE TABLE market."Odd.Name" ("Time" timestamptz)`, `INSERT INTO market."Odd.Name" VALUES (now())`,
	)
	for name, test := range map[string]struct {
		args    map[string]any
		ok      bool
		future  bool
		summary string
	}{
		"fresh":               {map[string]any{"table": "bars", "column": "time", "max_age": "10m"}, true, false, "the newest bars.time is 5m"},
		"stale":               {map[string]any{"table": "bars", "column": "time", "max_age": "4m"}, false, false, "is 5m"},
		"says the limit":      {map[string]any{"table": "bars", "column": "time", "max_age": "4m"}, false, false, "), the limit is 4m0s"},
		"condition":           {map[string]any{"table": "bars", "column": "time", "max_age": "10m", "where": "symbol = $1 -- only", "params": []any{"EURUSD"}}, false, false, "is 50m"},
		"no row":              {map[string]any{"table": "bars", "column": "time", "max_age": "10m", "where": "symbol = 'usdcop'"}, false, false, "bars.time has no value: the table holds no row that counts"},
		"empty":               {map[string]any{"table": "empty", "column": "time", "max_age": "10m"}, false, false, "no row that counts"},
		"only NULL":           {map[string]any{"table": "nulls", "column": "time", "max_age": "10m"}, false, false, "no row that counts"},
		"future":              {map[string]any{"table": "future", "column": "time", "max_age": "10m"}, false, true, "in the future ("},
		"allowed future":      {map[string]any{"table": "future", "column": "time", "max_age": "10m", "allow_future": "6h"}, true, false, "is 0s old"},
		"skewed clock":        {map[string]any{"table": "skewed", "column": "time", "max_age": "10m"}, true, false, "is 0s old"},
		"no tolerance":        {map[string]any{"table": "skewed", "column": "time", "max_age": "10m", "allow_future": "0s"}, false, true, "in the future"},
		"infinite":            {map[string]any{"table": "endless", "column": "time", "max_age": "10m"}, false, false, "is infinite"},
		"ancient":             {map[string]any{"table": "ancient", "column": "time", "max_age": "10m"}, false, false, "d old"},
		"without zone":        {map[string]any{"table": "bars", "column": "local", "max_age": "90m"}, true, false, "is 1h0m"},
		"day":                 {map[string]any{"table": "bars", "column": "day", "max_age": "24h"}, true, false, "the newest bars.day"},
		"quoted name":         {map[string]any{"table": `market."Odd.Name"`, "column": "Time", "max_age": "10m"}, true, false, "the newest market.Odd.Name.Time"},
		"written in capitals": {map[string]any{"table": "empty", "column": "time", "max_age": "10m", "where": "TRUE"}, false, false, "no row"},
	} {
		t.Run(name, func(t *testing.T) {
			got := done(t, l.Probe("freshness", test.args))
			if !strings.Contains(got["summary"].(string), test.summary) {
				t.Errorf("summary %q lacks %q", got["summary"], test.summary)
			}
			equal(t, []any{test.ok, test.future}, []any{got["ok"], got["in_future"]})
		})
	}
	none := done(t, l.Probe("freshness", map[string]any{"table": "nulls", "column": "time", "max_age": "10m"}))
	equal(t, map[string]any{
		"ok": false, "summary": "nulls.time has no value: the table holds no row that counts",
		"newest": nil, "age_seconds": nil, "in_future": false, "max_age_seconds": 600,
	}, none)
}

func TestFreshnessFailures(t *testing.T) {
	l := newLab(t, "CREATE TABLE bars (time timestamptz, n int)")
	for code, args := range map[string]map[string]any{
		"undefined_table":   {"table": "missing", "column": "time", "max_age": "1m"},
		"undefined_schema":  {"table": "nowhere.bars", "column": "time", "max_age": "1m"},
		"undefined_column":  {"table": "bars", "column": "at", "max_age": "1m"},
		"invalid_statement": {"table": "bars", "column": "n", "max_age": "1m"},
		"invalid_argument":  {"table": `bars"; DROP TABLE bars`, "column": "time", "max_age": "0s"},
		"syntax_error":      {"table": "bars", "column": "time", "max_age": "1m", "where": "n >"},
	} {
		outcome := l.Probe("freshness", args)
		if code == "undefined_schema" {
			code = "undefined_table" // what the server says of a relation in a schema that is not there
		}
		fails(t, wantEnd{"failed_clean", code}, outcome)
	}
}
