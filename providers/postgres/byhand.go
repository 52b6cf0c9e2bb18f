package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// environ is what PostgreSQL's own programs read, the password among it.
func (p *provider) environ() map[string]string {
	env := map[string]string{
		"PGSSLMODE": p.config.SSLMode, "PGCONNECT_TIMEOUT": strconv.Itoa(max(1, int(p.config.ConnectTimeout.Seconds()))), "PGTZ": "UTC",
	}
	if p.config.SSLRootCert != "" {
		env["PGSSLROOTCERT"] = p.config.SSLRootCert
	}
	if p.config.Password != "" {
		env["PGPASSWORD"] = p.config.Password
	}
	return env
}

// answer is a statement that answers with one JSON text, in a session that cannot
// write; result is a jq program over it.
func (p *provider) answer(statements []string, result string, gives ...string) schema.ByHand {
	return schema.ByHand{
		Command: append(p.psql(statements...), "-q", "-A", "-t"),
		Env:     map[string]string{"PGOPTIONS": "-c default_transaction_read_only=on"},
		Result:  `if .exit_code != 0 then error(.stderr | split("\n")[0]) else (.stdout | fromjson) end | ` + result,
		Gives:   gives,
	}
}

// prepared is a statement with its params as a person can run it.
func prepared(sql string, params []any) []string {
	if len(params) == 0 {
		return []string{sql}
	}
	literals := make([]string, len(params))
	for i, sent := range params {
		literals[i] = literal(sent)
	}
	return []string{"PREPARE look AS " + sql, "EXECUTE look (" + strings.Join(literals, ", ") + ")"}
}

func (p *provider) readyByHand(readyArgs, *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: append(p.psql("SELECT 1"), "-q", "-A", "-t"),
		Result:  `{ok: (.exit_code == 0), summary: (if .exit_code == 0 then "PostgreSQL accepts connections" else (.stderr | split("\n")[0]) end)}`,
	}
}

func (p *provider) queryByHand(args queryArgs, _ *sdk.Call) schema.ByHand {
	params, f := arguments("params", args.Params)
	if f != nil || readsOnly(args.SQL) != nil || !slices.Contains([]string{"select", "with", "values", "table"}, leading(args.SQL)) {
		return schema.ByHand{}
	}
	sql := fmt.Sprintf("SELECT coalesce(json_agg(look), '[]') FROM (%s\n) AS look", strings.TrimRight(args.SQL, "; \t\r\n"))
	// Times as this provider tells them.
	return p.answer(prepared(sql, params), `map(map_values(if type == "string" then sub("^(?<at>[0-9-]{10}T[0-9:.]+)[+]00:00$"; "\(.at)Z") else . end)) | {ok: (. != []), rows: ., row_count: length, summary: "\(length) rows: \(tojson)"}`, "rows", "row_count")
}

func (p *provider) freshnessByHand(args freshnessArgs, _ *sdk.Call) schema.ByHand {
	from, f := parseTable("table", args.Table)
	params, wrong := arguments("params", args.Params)
	if f != nil || wrong != nil || looksOnly("where", args.Where) != nil {
		return schema.ByHand{}
	}
	sql := fmt.Sprintf(`SELECT json_build_object('newest', CASE WHEN isfinite(newest) THEN to_char(newest AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
'age_seconds', CASE WHEN isfinite(newest) THEN extract(epoch FROM now() - newest)::float8 END)
FROM (SELECT max(%s)::timestamptz AS newest FROM %s%s) AS found`, column(args.Column), from.sql(), condition(args.Where))
	what := fmt.Sprintf("%s.%s", from, args.Column)
	return p.answer(prepared(sql, params), fmt.Sprintf(
		`. + {in_future: (.age_seconds != null and .age_seconds < %g)} | . + {ok: (.age_seconds != null and .age_seconds <= %g and (.in_future | not)),`+
			` summary: (if .age_seconds == null then %s + " has no value" else "the newest " + %s + " is \(.age_seconds | floor) s old (\(.newest)), the limit is %g s" end)}`,
		-args.AllowFuture.Seconds(), args.MaxAge.Seconds(), strconv.QuoteToASCII(what), strconv.QuoteToASCII(what), args.MaxAge.Seconds()),
		"newest", "age_seconds", "in_future")
}
