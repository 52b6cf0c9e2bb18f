package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const restoreRowsDoc = `Brings the rows of a table back that delete or update kept with backup_to, in one transaction. What stands in the way is decided by on_conflict: a row
with the same primary key makes it fail, is left as it is, or gets the values of the backup back, which is destructive. The backup table stays. The preview counts the
rows, and those that stand in the way. More rows than the step's limit, or a number outside of expect_rows, rolls everything back.` + ledgerDoc

type restoreRowsArgs struct {
	From       string  `runbook:"from" doc:"Table that holds the rows, as backup_to wrote it."`
	Table      string  `runbook:"table" doc:"Table that the rows go back to."`
	OnConflict string  `runbook:"on_conflict" doc:"What becomes of a row that is there under the same primary key: fail, skip (it stays) or replace (it gets the backup's values)." default:"fail"`
	ExpectRows *bounds `runbook:"expect_rows" doc:"How many rows must be brought back for the change to be committed: min, max or both."`
}

// restoration is what was checked of the arguments.
type restoration struct {
	table, from table
	conflict    string
}

func (args restoreRowsArgs) check() (restoration, *schema.Failure) {
	r := restoration{conflict: args.OnConflict}
	var f *schema.Failure
	if r.table, f = parseTable("table", args.Table); f != nil {
		return r, f
	}
	if r.from, f = parseTable("from", args.From); f != nil {
		return r, f
	}
	switch r.conflict {
	case "fail", "skip", "replace":
	default:
		return r, sdk.InvalidArgument("on_conflict", "on_conflict must be fail, skip or replace, got %q", r.conflict)
	}
	if r.table.String() == r.from.String() {
		return r, sdk.InvalidArgument("from", "from and table are the same table")
	}
	return r, args.ExpectRows.validate()
}

// columnsSQL are the columns that can be written, and whether both tables have
// them alike; a column that the server computes is left to it.
const columnsSQL = `SELECT quote_ident(a.attname), coalesce(format_type(b.atttypid, b.atttypmod) = format_type(a.atttypid, a.atttypmod), false),
coalesce(a.attnum = ANY (k.conkey), false)
FROM pg_attribute a LEFT JOIN pg_attribute b ON b.attrelid = $2::text::regclass AND b.attname = a.attname AND b.attnum > 0 AND NOT b.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum`

type rowColumn struct {
	Name  string
	Alike bool
	Key   bool
}

// columns are those of the table that the rows go back to.
func (r restoration) columns(ctx context.Context, from querier) ([]rowColumn, error) {
	found, err := from.Query(ctx, columnsSQL, r.table.sql(), r.from.sql())
	if err != nil {
		return nil, err
	}
	columns, err := pgx.CollectRows(found, pgx.RowToStructByPos[rowColumn])
	if err != nil {
		return nil, err
	}
	keyed := false
	for _, c := range columns {
		keyed = keyed || c.Key
		if !c.Alike {
			return nil, &schema.Failure{
				Code: "backup_differs", Argument: "from",
				Message: fmt.Sprintf("%s has no column %s of the type that it has in %s", r.from, c.Name, r.table),
				Remedy:  "write the rows back with postgres.execute, which can say how columns are to be filled",
			}
		}
	}
	if !keyed && r.conflict != "fail" {
		return nil, &schema.Failure{
			Code: "no_primary_key", Argument: "on_conflict",
			Message: fmt.Sprintf("%s has no primary key, by which rows could be found to be there", r.table),
			Remedy:  "leave on_conflict at fail",
		}
	}
	return columns, nil
}

func names(columns []rowColumn, match func(rowColumn) bool, format string) string {
	var all []string
	for _, c := range columns {
		if match(c) {
			all = append(all, fmt.Sprintf(format, c.Name))
		}
	}
	return strings.Join(all, ", ")
}

func (r restoration) statement(columns []rowColumn) string {
	all := names(columns, func(rowColumn) bool { return true }, "%s")
	sql := fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s", r.table.sql(), all, all, r.from.sql())
	key := names(columns, func(c rowColumn) bool { return c.Key }, "%s")
	set := names(columns, func(c rowColumn) bool { return !c.Key }, "%[1]s = excluded.%[1]s")
	switch {
	case r.conflict == "fail":
		return sql
	case r.conflict == "skip" || set == "":
		return sql + " ON CONFLICT (" + key + ") DO NOTHING"
	}
	return sql + " ON CONFLICT (" + key + ") DO UPDATE SET " + set
}

func (p *provider) restoreRows(ctx context.Context, args restoreRowsArgs, call *sdk.Call) (changeResult, error) {
	r, f := args.check()
	if f != nil {
		return changeResult{}, sdk.Clean(f)
	}
	done, err := p.transact(ctx, call.Key(), func(tx pgx.Tx) (int64, error) {
		columns, err := r.columns(ctx, tx)
		if err != nil {
			return 0, err
		}
		back, err := run(ctx, tx, r.statement(columns), nil)
		if err != nil {
			return 0, err
		}
		return back, args.ExpectRows.keep(back, call)
	})
	if err != nil {
		return changeResult{}, err
	}
	return changed(done, "brought back to "+r.table.String()), nil
}

func (p *provider) settleRestoreRows(ctx context.Context, args restoreRowsArgs, call *sdk.Call) (changeResult, schema.State, error) {
	return p.settleChange(ctx, call, "brought back to "+args.Table)
}

func (p *provider) describeRestoreRows(args restoreRowsArgs, call *sdk.Call) sdk.Description {
	unknown := call.Unknown("table") || call.Unknown("from") || call.Unknown("on_conflict") || call.Unknown("expect_rows")
	d := sdk.Description{
		Destructive: args.OnConflict == "replace" || call.Unknown("on_conflict"),
		Effects:     []schema.Effect{{Resource: p.resource(nil), Mode: schema.Write}},
		Summary:     "brings rows back from a backup",
	}
	if unknown {
		return d
	}
	r, f := args.check()
	if d.Failure = f; f != nil {
		return d
	}
	d.Effects = []schema.Effect{{Resource: p.resource(r.table), Mode: schema.Write}, {Resource: p.resource(r.from), Mode: schema.Read}}
	d.Summary = fmt.Sprintf("brings the rows of %s back to %s", r.from, r.table)
	d.Command = p.inTransaction(fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", r.table.sql(), r.from.sql()), nil)
	return d
}

func (p *provider) previewRestoreRows(ctx context.Context, args restoreRowsArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	r, f := args.check()
	if f != nil {
		return sdk.PreviewResult{}, f
	}
	var kept, there int64
	err := p.read(ctx, func(tx pgx.Tx) error {
		columns, err := r.columns(ctx, tx)
		if err != nil {
			return err
		}
		there = -1
		if key := names(columns, func(c rowColumn) bool { return c.Key }, "%s"); key != "" {
			err := tx.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s JOIN %s USING (%s)", r.from.sql(), r.table.sql(), key)).Scan(&there)
			if err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, "SELECT count(*) FROM "+r.from.sql()).Scan(&kept)
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	seen := sdk.PreviewResult{
		Impact:  schema.Impact{"rows": kept},
		Summary: fmt.Sprintf("brings %s of %s back to %s", phrase.Count(kept, "row", "rows"), r.from, r.table),
	}
	switch {
	case there <= 0:
	case r.conflict == "fail":
		return sdk.PreviewResult{}, &schema.Failure{
			Code: "constraint_violation", Argument: "on_conflict",
			Message: fmt.Sprintf("%s of %s under the same primary key", phrase.Count(there, "row is there", "rows are there"), r.table),
			Remedy:  "set on_conflict to skip or replace",
		}
	case r.conflict == "skip":
		seen.Impact["rows"] = kept - there
		seen.Summary += fmt.Sprintf("; %s, and stays as it is", phrase.Count(there, "row is there", "rows are there"))
	default:
		seen.Summary += fmt.Sprintf("; %s, and gets the backup's values", phrase.Count(there, "row is there", "rows are there"))
	}
	return seen, nil
}
