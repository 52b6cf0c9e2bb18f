package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const updateDoc = `Sets columns of the rows of a table that meet a condition to given values, in one transaction, and keeps the rows as they were
in backup_to if that is given. The preview counts them and shows some. More rows than the step's limit, or a number outside of expect_rows,
rolls everything back. Values that depend on the row need postgres.execute. A condition that every row meets makes it destructive.` + ledgerDoc

type updateArgs struct {
	selection
	Set cty.Value `runbook:"set" doc:"New values by column name; null sets NULL."`
}

// setting is the SET clause: the values follow the condition's parameters.
func (args updateArgs) setting(after int) (string, []any, *schema.Failure) {
	if args.Set == cty.NilVal || args.Set.IsNull() || !args.Set.Type().IsObjectType() && !args.Set.Type().IsMapType() || args.Set.LengthInt() == 0 {
		return "", nil, sdk.InvalidArgument("set", "set must hold at least one column, such as { status = \"done\" }")
	}
	values := args.Set.AsValueMap()
	var clauses []string
	var sent []any
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := argumentText(values[name])
		if err != nil {
			return "", nil, sdk.InvalidArgument("set", "the value of %s cannot be sent: %v", name, err)
		}
		sent = append(sent, text)
		clauses = append(clauses, fmt.Sprintf("%s = $%d", column(name), after+len(sent)))
	}
	return strings.Join(clauses, ", "), sent, nil
}

// statement is the UPDATE and what it needs.
func (args updateArgs) statement() (rows, string, []any, *schema.Failure) {
	r, f := args.rows()
	if f != nil {
		return rows{}, "", nil, f
	}
	clause, values, f := args.setting(len(r.params))
	if f != nil {
		return rows{}, "", nil, f
	}
	return r, "UPDATE " + r.table.sql() + " SET " + clause + condition(r.where), slices.Concat(r.params, values), nil
}

func (p *provider) update(ctx context.Context, args updateArgs, call *sdk.Call) (changeResult, error) {
	r, statement, params, f := args.statement()
	if f == nil {
		f = args.bound(call)
	}
	if f != nil {
		return changeResult{}, sdk.Clean(f)
	}
	done, err := p.transact(ctx, call.Key(), func(tx pgx.Tx) (int64, error) {
		kept := int64(-1)
		if r.backup != nil {
			err := makeBackup(ctx, tx, r)
			if err != nil {
				return 0, err
			}
			if kept, err = run(ctx, tx, r.keeping(), r.params); err != nil {
				return 0, err
			}
		}
		hit, err := run(ctx, tx, statement, params)
		if err != nil {
			return 0, err
		}
		// The kept rows are locked, so they are among those hit; equal
		// numbers mean equal rows.
		if kept >= 0 && kept != hit {
			return 0, &schema.Failure{
				Code: "changed_meanwhile", Retryable: true,
				Message: fmt.Sprintf("%d rows were kept and %d hit: others wrote meanwhile; it was rolled back", kept, hit),
				Remedy:  "stop the writers, or try again",
			}
		}
		return hit, args.ExpectRows.keep(hit, call)
	})
	if err != nil {
		return changeResult{}, err
	}
	return changed(done, "updated in "+r.table.String()), nil
}

// keeping copies the rows as they are and locks them.
func (r rows) keeping() string {
	return "INSERT INTO " + r.backup.sql() + " SELECT * FROM " + r.table.sql() + condition(r.where) + " FOR UPDATE"
}

func (p *provider) settleUpdate(ctx context.Context, args updateArgs, call *sdk.Call) (changeResult, schema.State, error) {
	return p.settleChange(ctx, call, "updated in "+args.Table)
}

func (p *provider) describeUpdate(args updateArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.effects(args.selection, call, schema.Write), Destructive: !args.filters()}
	if args.unknown(call) || call.Unknown("set") {
		d.Summary = "updates rows"
		return d
	}
	r, statement, params, f := args.statement()
	if d.Failure = f; f != nil {
		return d
	}
	d.Summary = fmt.Sprintf("updates the rows of %s with %s", r.table, r.where)
	d.Command = p.inTransaction(statement, params)
	if r.backup != nil {
		d.Summary += fmt.Sprintf(" and keeps them as they were in %s", r.backup)
		keep := p.inTransaction(r.keeping(), r.params)
		keep = first(keep, "CREATE TABLE IF NOT EXISTS "+r.backup.sql()+" (LIKE "+r.table.sql()+")")
		d.Command = joined(keep, d.Command)
	}
	return d
}

// joined is one psql call with the statements of two; the second's prepared
// statement gets a name of its own.
func joined(one, two []string) []string {
	start := slices.Index(two, "-c")
	last := len(one) - 1 // --single-transaction
	argv := append([]string{}, one[:last]...)
	for _, word := range two[start:] {
		argv = append(argv, strings.Replace(word, "runbook_step", "runbook_step_2", 1))
	}
	return argv
}

func (p *provider) previewUpdate(ctx context.Context, args updateArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	return p.look(ctx, args.selection, schema.Write, "updates", call)
}
