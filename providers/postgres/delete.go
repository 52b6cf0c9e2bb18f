package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const deleteDoc = `Deletes the rows of a table that meet a condition, in one transaction, and keeps them in backup_to if that is given.
The preview counts them, shows some, and names the tables that foreign keys take along. More rows than the step's limit, or a number outside
of expect_rows, rolls everything back.` + ledgerDoc

type deleteArgs struct {
	selection
}

func (p *provider) delete(ctx context.Context, args deleteArgs, call *sdk.Call) (changeResult, error) {
	r, f := args.rows()
	if f == nil {
		f = args.bound(call)
	}
	if f != nil {
		return changeResult{}, sdk.Clean(f)
	}
	done, err := p.transact(ctx, call.Key(), func(tx pgx.Tx) (int64, error) {
		if r.backup != nil {
			if err := makeBackup(ctx, tx, r); err != nil {
				return 0, err
			}
		}
		gone, err := run(ctx, tx, r.deletion(), r.params)
		if err != nil {
			return 0, err
		}
		return gone, args.ExpectRows.keep(gone, call)
	})
	if err != nil {
		return changeResult{}, err
	}
	return changed(done, "deleted from "+r.table.String()), nil
}

// deletion is the statement; with a backup it counts the rows that were kept,
// which are those that were deleted.
func (r rows) deletion() string {
	deletion := "DELETE FROM " + r.table.sql() + condition(r.where)
	if r.backup == nil {
		return deletion
	}
	return fmt.Sprintf("WITH gone AS (%s RETURNING *) INSERT INTO %s SELECT * FROM gone", deletion, r.backup.sql())
}

func (p *provider) settleDelete(ctx context.Context, args deleteArgs, call *sdk.Call) (changeResult, schema.State, error) {
	return p.settleChange(ctx, call, "deleted from "+args.Table)
}

func (p *provider) describeDelete(args deleteArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.effects(args.selection, call, schema.Delete), Destructive: true}
	if args.unknown(call) {
		d.Summary = "deletes rows"
		return d
	}
	r, f := args.rows()
	if d.Failure = f; f != nil {
		return d
	}
	d.Summary = fmt.Sprintf("deletes the rows of %s with %s", r.table, r.where)
	d.Command = p.inTransaction(r.deletion(), r.params)
	if r.backup != nil {
		d.Summary += fmt.Sprintf(" and keeps them in %s", r.backup)
		create := "CREATE TABLE IF NOT EXISTS " + r.backup.sql() + " (LIKE " + r.table.sql() + ")"
		d.Command = first(d.Command, create)
	}
	return d
}

// first puts a statement before the others of a psql call.
func first(argv []string, statement string) []string {
	for i, word := range argv {
		if word == "-c" {
			return append(append(append([]string{}, argv[:i]...), "-c", statement), argv[i:]...)
		}
	}
	return argv
}

func (p *provider) previewDelete(ctx context.Context, args deleteArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	return p.look(ctx, args.selection, schema.Delete, "deletes", call)
}
