package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const executeDoc = `Runs one statement in one transaction. A number of rows outside of expect_rows, or above the step's limit, rolls it back.
The preview is the planner's estimate, never a count. INSERT, UPDATE and CREATE count as writes, every other statement as destructive.
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
	result.Result = sdk.OK("%s: %s", what, number(done.Rows, "row", "rows"))
	if done.Repeated {
		result.Result = sdk.OK("%s: %s, done before, at %s", what, number(done.Rows, "row", "rows"), done.At.UTC().Format(time.RFC3339))
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
	return sdk.InvalidArgument("params", "%s uses %s, params has %d", argument, number(int64(wanted), "parameter", "parameters"), given)
}

func (p *provider) execute(ctx context.Context, args executeArgs, call *sdk.Call) (changeResult, error) {
	if f := args.validate(); f != nil {
		return changeResult{}, sdk.Clean(f)
	}
	params, _ := arguments("params", args.Params)
	begun := false
	done, err := p.transact(ctx, call.Key(), func(tx pgx.Tx) (int64, error) {
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

func (p *provider) previewExecute(ctx context.Context, args executeArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if !plannable(args.SQL) {
		return sdk.PreviewResult{Summary: fmt.Sprintf("runs %s, which the server cannot estimate beforehand", strings.ToUpper(leading(args.SQL)))}, nil
	}
	params, _ := arguments("params", args.Params)
	var text []byte
	err := p.read(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+args.SQL, params...).Scan(&text)
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		return sdk.PreviewResult{}, sdk.Fail("unexpected_plan", "the server's plan cannot be read")
	}
	rows, modifies := plans[0].Plan.modified()
	if !modifies {
		return sdk.PreviewResult{Summary: "runs a statement of which the plan changes no table; functions that it calls may"}, nil
	}
	estimate := int64(rows)
	return sdk.PreviewResult{
		Impact:  schema.Impact{"estimated_rows": estimate},
		Summary: fmt.Sprintf("runs %s on about %s, by the planner's estimate", strings.ToUpper(leading(args.SQL)), number(estimate, "row", "rows")),
	}, nil
}

// planNode is the part of a plan that tells what it would change.
type planNode struct {
	Type         string     `json:"Node Type"`
	Relationship string     `json:"Parent Relationship"`
	Rows         float64    `json:"Plan Rows"`
	Plans        []planNode `json:"Plans"`
}

// modified adds up the rows that the plan's changing nodes take in; they
// themselves give none out.
func (n planNode) modified() (rows float64, modifies bool) {
	for _, below := range n.Plans {
		inner, changes := below.modified()
		rows += inner
		modifies = modifies || changes
		if n.Type == "ModifyTable" && (below.Relationship == "Outer" || below.Relationship == "Member") {
			rows += below.Rows
		}
	}
	return rows, modifies || n.Type == "ModifyTable"
}
