package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const executeDoc = `Runs one statement in one transaction. A number of rows outside of expect_rows, or above the step's limit on rows, rolls it back.
A limit on rows refuses a statement that does not tell how many it changes, such as TRUNCATE, or a WITH that changes in several places.
The preview is the planner's estimate, never a count: it is estimated_rows. INSERT, CREATE, and UPDATE of some rows count as writes, every other statement as destructive.
Cancelling cancels the statement on the server and rolls back.` + ledgerDoc

type executeArgs struct {
	SQL        string    `runbook:"sql" doc:"One statement; values go into params, never into the text. VACUUM, CREATE DATABASE and whatever else cannot run in a transaction is refused."`
	Params     cty.Value `runbook:"params,optional" doc:"Values for $1, $2 …; a list becomes an array, an object JSON."`
	ExpectRows *bounds   `runbook:"expect_rows" doc:"How many rows the statement must hit to be committed: min, max or both."`
}

type changeResult struct {
	sdk.Result
	Rows     int64     `runbook:"rows" doc:"How many rows were inserted, updated, deleted or returned."`
	Repeated bool      `runbook:"repeated" doc:"Whether an earlier attempt with the same key had done it already."`
	At       time.Time `runbook:"at" doc:"When the transaction began that did it."`
}

// changed is the result of a change that was committed, now or before.
func changed(done attempt, what string) changeResult {
	result := changeResult{Rows: done.Rows, Repeated: done.Repeated, At: done.At}
	result.Result = sdk.OK("%s: %s", what, phrase.Count(done.Rows, "row", "rows"))
	if done.Repeated {
		result.Result = sdk.OK("%s: %s, done before, at %s", what, phrase.Count(done.Rows, "row", "rows"), done.At.UTC().Format(time.RFC3339))
	}
	return result
}

func (args executeArgs) validate() *schema.Failure {
	params, f := arguments("params", args.Params)
	switch {
	case f != nil:
		return f
	case leading(args.SQL) == "":
		return sdk.InvalidArgument("sql", "sql is empty")
	case transactionControl(args.SQL):
		return sdk.InvalidArgument("sql", "%s cannot be used here: the statement runs in a transaction of its own", strings.ToUpper(leading(args.SQL)))
	case parameters(args.SQL) != len(params):
		return wrongParams("sql", parameters(args.SQL), len(params))
	}
	return args.ExpectRows.validate()
}

func wrongParams(argument string, wanted, given int) *schema.Failure {
	return sdk.InvalidArgument("params", "%s uses %s, params has %d", argument, phrase.Count(int64(wanted), "parameter", "parameters"), given)
}

func (p *provider) execute(ctx context.Context, args executeArgs, call *sdk.Call) (changeResult, error) {
	if f := args.validate(); f != nil {
		return changeResult{}, sdk.Clean(f)
	}
	params, _ := arguments("params", args.Params)
	begun := false
	done, err := p.transact(ctx, call.Key(), func(tx pgx.Tx) (int64, error) {
		if _, limited := call.Limit("rows"); limited {
			plans, err := explain(ctx, tx, args.SQL, params)
			if err == nil {
				err = countable(args.SQL, plans, call)
			}
			if err != nil {
				return 0, err
			}
		}
		begun = true
		rows, err := run(ctx, tx, args.SQL, params)
		if err != nil {
			return 0, err
		}
		return rows, args.ExpectRows.keep(rows, call)
	})
	if begun {
		err = notTakenBack(err, args.SQL)
	}
	if err != nil {
		return changeResult{}, err
	}
	return changed(done, strings.ToUpper(leading(args.SQL))), nil
}

// run runs one statement and never more: pgx's Exec would let several through
// where there are no parameters.
func run(ctx context.Context, tx pgx.Tx, sql string, params []any) (int64, error) {
	rows, err := tx.Query(ctx, sql, params...)
	if err != nil {
		return 0, err
	}
	rows.Close()
	return rows.CommandTag().RowsAffected(), rows.Err()
}

func (p *provider) settleExecute(ctx context.Context, args executeArgs, call *sdk.Call) (changeResult, schema.State, error) {
	result, state, err := p.settleChange(ctx, call, strings.ToUpper(leading(args.SQL)))
	if state == schema.FailedClean && writesOutside(args.SQL) != "" {
		state = schema.FailedPartial
	}
	return result, state, err
}

// settleChange is Settle of every keyed action.
func (p *provider) settleChange(ctx context.Context, call *sdk.Call, what string) (changeResult, schema.State, error) {
	found, state, err := p.settle(ctx, call.Key())
	if found == nil {
		return changeResult{}, state, err
	}
	return changed(*found, what), state, nil
}

func (p *provider) describeExecute(args executeArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: call.Unknown("sql") || destructive(args.SQL)}
	mode := schema.Write
	if d.Destructive {
		mode = schema.Delete
	}
	d.Effects = []schema.Effect{{Resource: p.resource(nil), Mode: mode}}
	if call.Unknown("sql") || call.Unknown("params") || call.Unknown("expect_rows") {
		d.Summary = "runs a statement that is not known yet"
		return d
	}
	if d.Failure = args.validate(); d.Failure == nil {
		params, _ := arguments("params", args.Params)
		d.Command = p.inTransaction(args.SQL, params)
		d.Summary = fmt.Sprintf("runs %s in one transaction, recorded in %s", strings.ToUpper(leading(args.SQL)), ledger)
	}
	return d
}

// inTransaction is the psql call for one statement. Parameters are bound with
// EXECUTE, so that no value becomes part of the statement's text.
func (p *provider) inTransaction(sql string, params []any) []string {
	if len(params) == 0 {
		return append(p.psql(sql), "--single-transaction")
	}
	literals := make([]string, len(params))
	for i, sent := range params {
		literals[i] = literal(sent)
	}
	prepare := "PREPARE runbook_step AS " + strings.TrimRight(sql, "; \t\r\n")
	return append(p.psql(prepare, "EXECUTE runbook_step ("+strings.Join(literals, ", ")+")"), "--single-transaction")
}
