package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const freshnessDoc = `How old the newest row of a table is, by the server's clock. No row, or only NULLs, is not fresh; neither is a newest row
that lies in the future by more than allow_future: a wrong clock or time zone would hide that nothing arrives. A column without time zone is
read in the session's time zone.`

type freshnessArgs struct {
	Table       string        `runbook:"table" doc:"Table, such as bars or market.bars."`
	Column      string        `runbook:"column" doc:"Column of type timestamptz, timestamp or date; an index on it makes the look quick."`
	Where       string        `runbook:"where,optional" doc:"Condition that rows must meet, such as symbol = $1."`
	Params      cty.Value     `runbook:"params,optional" doc:"Values for $1, $2 … in where."`
	MaxAge      time.Duration `runbook:"max_age" doc:"The oldest that the newest row may be."`
	AllowFuture time.Duration `runbook:"allow_future" doc:"How far in the future the newest row may lie." default:"5s"`
}

type freshnessResult struct {
	sdk.Result
	Newest     *time.Time `runbook:"newest" doc:"Time of the newest row; null where there is none."`
	AgeSeconds *float64   `runbook:"age_seconds" doc:"Age of the newest row, negative in the future; null where there is none."`
	InFuture   bool       `runbook:"in_future" doc:"Whether the newest row lies in the future by more than allow_future."`
	MaxAge     float64    `runbook:"max_age_seconds" doc:"The bound that was asked for."`
}

func (p *provider) freshness(ctx context.Context, args freshnessArgs, _ *sdk.Call) (freshnessResult, error) {
	from, f := parseTable("table", args.Table)
	if f != nil {
		return freshnessResult{}, f
	}
	params, f := arguments("params", args.Params)
	if f != nil {
		return freshnessResult{}, f
	}
	if f := looksOnly("where", args.Where); f != nil {
		return freshnessResult{}, f
	}
	if args.MaxAge <= 0 {
		return freshnessResult{}, sdk.InvalidArgument("max_age", "max_age must be positive, got %s", args.MaxAge)
	}
	sql := fmt.Sprintf(`SELECT isfinite(newest), CASE WHEN isfinite(newest) THEN newest END,
CASE WHEN isfinite(newest) THEN extract(epoch FROM now() - newest)::float8 END
FROM (SELECT max(%s)::timestamptz AS newest FROM %s%s) AS found`, column(args.Column), from.sql(), condition(args.Where))
	result := freshnessResult{MaxAge: args.MaxAge.Seconds()}
	var finite *bool
	err := p.read(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, sql, params...).Scan(&finite, &result.Newest, &result.AgeSeconds)
	})
	if err != nil {
		return freshnessResult{}, err
	}
	what := fmt.Sprintf("%s.%s", from, args.Column)
	switch {
	case finite == nil:
		result.Result = sdk.NotOK("%s has no value: the table holds no row that counts", what)
		return result, nil
	case !*finite:
		result.Result = sdk.NotOK("the newest %s is infinite, which is no time", what)
		return result, nil
	}
	age, newest := *result.AgeSeconds, result.Newest.UTC().Format(time.RFC3339)
	switch {
	case age < -args.AllowFuture.Seconds():
		result.InFuture = true
		result.Result = sdk.NotOK("the newest %s is %s in the future (%s): a clock or a time zone is wrong", what, phrase.Span(-age), newest)
	case age > args.MaxAge.Seconds():
		result.Result = sdk.NotOK("the newest %s is %s old (%s), the limit is %s", what, phrase.Span(age), newest, phrase.Span(args.MaxAge.Seconds()))
	default:
		result.Result = sdk.OK("the newest %s is %s old (%s)", what, phrase.Span(max(age, 0)), newest)
	}
	return result, nil
}

// condition is a WHERE clause for a condition that an author wrote, or nothing.
// A line break keeps a comment at its end from swallowing the parenthesis.
func condition(where string) string {
	switch {
	case where == "":
		return ""
	case strings.Contains(where, "--"):
		return " WHERE (" + where + "\n)"
	}
	return " WHERE (" + where + ")"
}
