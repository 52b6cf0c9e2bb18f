package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const queryDoc = `Runs one reading statement in a READ ONLY transaction, bounded by the look's timeout on the server too.
It is ok when at least one row came back. A statement that writes fails and changes nothing; functions of the
database's own that act outside of transactions cannot be told. Values keep their types: numbers are exact,
times are RFC 3339 in UTC, intervals are seconds, JSON is decoded, NULL is null. LIKE tells upper from lower case: ILIKE does not.`

type queryArgs struct {
	SQL    string    `runbook:"sql" doc:"One SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN statement; values go into params, never into the text."`
	Params cty.Value `runbook:"params,optional" doc:"Values for $1, $2 …; a list becomes an array, an object JSON."`
}

type queryResult struct {
	sdk.Result
	Rows            cty.Value `runbook:"rows" doc:"The rows, each an object by column name; at most 10,000."`
	RowCount        int64     `runbook:"row_count" doc:"How many rows came back."`
	Columns         []string  `runbook:"columns" doc:"Column names in order."`
	DurationSeconds float64   `runbook:"duration_seconds" doc:"How long the look took, connecting included."`
}

func (p *provider) query(ctx context.Context, args queryArgs, _ *sdk.Call) (queryResult, error) {
	if f := readsOnly(args.SQL); f != nil {
		return queryResult{}, f
	}
	params, f := arguments("params", args.Params)
	if f != nil {
		return queryResult{}, f
	}
	started := time.Now()
	var result queryResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, args.SQL, params...)
		if err != nil {
			return err
		}
		result.Rows, result.Columns, err = collect(rows)
		return err
	})
	if err != nil {
		return queryResult{}, err
	}
	result.RowCount = int64(result.Rows.LengthInt())
	result.DurationSeconds = time.Since(started).Seconds()
	result.Result = sdk.Result{OK: result.RowCount > 0, Summary: phrase.Count(result.RowCount, "row", "rows") + firstValues(result)}
	return result, nil
}

// firstValues shows what a single row holds, so that a message without words of
// its own still says something.
func firstValues(result queryResult) string {
	if result.RowCount != 1 {
		return ""
	}
	row := result.Rows.AsValueSlice()[0]
	var shown []string
	for _, name := range result.Columns {
		v := row.GetAttr(name)
		text, err := argumentText(v)
		if err != nil || len(shown) == 4 {
			break
		}
		if text == nil {
			text = "null"
		}
		shown = append(shown, fmt.Sprintf("%s = %s", name, clip(text.(string), 80)))
	}
	return ": " + strings.Join(shown, ", ")
}

// readsOnly refuses what READ ONLY would let through.
func readsOnly(sql string) *schema.Failure {
	first := leading(sql)
	if first == "" {
		return sdk.InvalidArgument("sql", "sql is empty")
	}
	if !slices.Contains([]string{"select", "with", "values", "table", "show", "explain"}, first) {
		return &schema.Failure{
			Code:     "read_only_violation",
			Message:  fmt.Sprintf("postgres.query only reads, and %s is not a reading statement", strings.ToUpper(first)),
			Remedy:   "write with the action postgres.execute",
			Argument: "sql",
		}
	}
	return looksOnly("sql", sql)
}
