package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (p *provider) previewExecute(ctx context.Context, args executeArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	params, _ := arguments("params", args.Params)
	verb := strings.ToUpper(leading(args.SQL))
	var plans []queryPlan
	err := p.read(ctx, func(tx pgx.Tx) (err error) {
		plans, err = explain(ctx, tx, args.SQL, params)
		return err
	})
	if err == nil {
		err = countable(args.SQL, plans, call)
	}
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	if plans == nil {
		return sdk.PreviewResult{Summary: fmt.Sprintf("runs %s, which the server cannot estimate beforehand", verb)}, nil
	}
	rows, nodes := modified(plans)
	if nodes == 0 {
		return sdk.PreviewResult{Summary: "runs a statement of which the plan changes no table; functions that it calls may"}, nil
	}
	return sdk.PreviewResult{
		Impact:  schema.Impact{"estimated_rows": rows},
		Summary: fmt.Sprintf("runs %s on about %s, by the planner's estimate", verb, phrase.Count(rows, "row", "rows")),
	}, nil
}

// queryPlan is how the server would run a statement.
type queryPlan struct{ Plan planNode }

// planNode is the part of a plan that tells what it would change.
type planNode struct {
	Type         string     `json:"Node Type"`
	Relationship string     `json:"Parent Relationship"`
	Rows         float64    `json:"Plan Rows"`
	Plans        []planNode `json:"Plans"`
}

// explain asks for a statement's plans: one, or more where rules add to it; nil
// where it is of a kind that has none.
func explain(ctx context.Context, tx pgx.Tx, sql string, params []any) ([]queryPlan, error) {
	if !plannable(sql) {
		return nil, nil
	}
	const prefix = "EXPLAIN (FORMAT JSON) "
	var text []byte
	if err := tx.QueryRow(ctx, prefix+sql, params...).Scan(&text); err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) && int(said.Position) > len(prefix) {
			said.Position -= int32(len(prefix)) // as the author counts
		}
		return nil, err
	}
	plans := []queryPlan{}
	if err := json.Unmarshal(text, &plans); err != nil {
		return nil, sdk.Fail("unexpected_plan", "the server's plan cannot be read")
	}
	return plans, nil
}

// countable refuses a statement under a limit on rows if the number that the
// server will give for it is not that of all the rows that it changes.
func countable(sql string, plans []queryPlan, call *sdk.Call) error {
	_, limited := call.Limit("rows")
	_, nodes := modified(plans)
	told := len(plans) == 1 && (nodes == 0 || nodes == 1 && plans[0].Plan.changes())
	if told || !limited {
		return nil
	}
	f := sdk.Fail("rows_not_counted", "this %s does not tell how many rows it changes, so the limit on rows cannot be kept", strings.ToUpper(leading(sql)))
	f.Remedy = "use a single INSERT, UPDATE, DELETE or MERGE, or take the limit on rows out"
	return f
}

// modified is how many rows the plans would change, as the planner estimates,
// and how many of their nodes change a table.
func modified(plans []queryPlan) (rows int64, nodes int) {
	for _, one := range plans {
		r, n := one.Plan.modified()
		rows, nodes = rows+int64(r), nodes+n
	}
	return rows, nodes
}

// modified adds up the rows that the plan's changing nodes take in; they
// themselves give none out.
func (n planNode) modified() (rows float64, nodes int) {
	for _, below := range n.Plans {
		inner, changing := below.modified()
		rows, nodes = rows+inner, nodes+changing
		if n.changes() && (below.Relationship == "Outer" || below.Relationship == "Member") {
			rows += below.Rows
		}
	}
	if n.changes() {
		nodes++
	}
	return rows, nodes
}

func (n planNode) changes() bool { return n.Type == "ModifyTable" }
