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

const vacuumDoc = `Frees the space of deleted rows of one table or of the whole database, and renews the planner's statistics.
full rewrites the table under a lock that keeps even readers out. A table that the role may not vacuum makes it fail, where psql only warns.
Doing it again is harmless.`

type vacuumArgs struct {
	Table   string `runbook:"table,optional" doc:"Table, such as bars or market.bars; without one the whole database."`
	Analyze bool   `runbook:"analyze" doc:"Also renew the planner's statistics." default:"true"`
	Full    bool   `runbook:"full" doc:"Rewrite the table to give space back to the disk; nobody can read it meanwhile." default:"false"`
}

type vacuumResult struct {
	sdk.Result
	BytesBefore     int64   `runbook:"bytes_before" doc:"Size of the table with its indexes, or of the database, before."`
	BytesAfter      int64   `runbook:"bytes_after" doc:"The same afterwards; without full it seldom shrinks."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long the server worked."`
}

func (args vacuumArgs) statement() (string, table, *schema.Failure) {
	var options []string
	if args.Full {
		options = append(options, "FULL")
	}
	if args.Analyze {
		options = append(options, "ANALYZE")
	}
	if args.Table == "" {
		return vacuumSQL(options, ""), nil, nil
	}
	of, f := parseTable("table", args.Table)
	if f != nil {
		return "", nil, f
	}
	return vacuumSQL(append(options, "VERBOSE"), " "+of.sql()), of, nil
}

func vacuumSQL(options []string, of string) string {
	if len(options) == 0 {
		return "VACUUM" + of
	}
	return "VACUUM (" + strings.Join(options, ", ") + ")" + of
}

func (p *provider) vacuum(ctx context.Context, args vacuumArgs, call *sdk.Call) (vacuumResult, error) {
	statement, of, f := args.statement()
	if f != nil {
		return vacuumResult{}, sdk.Clean(f)
	}
	done, conn, err := p.maintain(ctx, call, statement, totalSize("pg_total_relation_size", of))
	if err != nil {
		return vacuumResult{}, err
	}
	disconnect(ctx, conn)
	result := vacuumResult{BytesBefore: done.before, BytesAfter: done.after, DurationSeconds: done.took.Seconds()}
	if len(done.warnings) > 0 {
		result.Result = sdk.NotOK("not everything was vacuumed: %s", strings.Join(done.warnings, "; "))
		return result, nil
	}
	result.Result = sdk.OK("vacuumed %s in %s: %s before, %s after", p.named(of), phrase.Round(done.took), phrase.Size(done.before), phrase.Size(done.after))
	return result, nil
}

// named is a table's name, or the database's where none is given.
func (p *provider) named(of table) string {
	if of == nil {
		return "database " + p.config.Database
	}
	return of.String()
}

func (p *provider) describeVacuum(args vacuumArgs, call *sdk.Call) sdk.Description {
	if call.Unknown("table") || call.Unknown("analyze") || call.Unknown("full") {
		return sdk.Description{Effects: []schema.Effect{{Resource: p.resource(nil), Mode: schema.Write}}, Summary: "vacuums"}
	}
	statement, of, f := args.statement()
	if f != nil {
		return sdk.Description{Effects: []schema.Effect{{Resource: p.resource(nil), Mode: schema.Write}}, Failure: f}
	}
	summary := "vacuums " + p.named(of)
	if args.Full {
		summary = "rewrites " + p.named(of) + " under an exclusive lock"
	}
	return sdk.Description{
		Effects: []schema.Effect{{Resource: p.resource(of), Mode: schema.Write}},
		Command: p.psql(statement), Summary: summary,
	}
}

func (p *provider) previewVacuum(ctx context.Context, args vacuumArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	_, of, f := args.statement()
	if f != nil {
		return sdk.PreviewResult{}, f
	}
	var bytes, dead int64
	dirt := "SELECT coalesce(sum(n_dead_tup), 0)::int8 FROM pg_stat_user_tables"
	if of != nil {
		dirt += " WHERE relid = " + literal(of.sql()) + "::regclass"
	}
	err := p.read(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, totalSize("pg_total_relation_size", of)).Scan(&bytes); err != nil {
			return err
		}
		return tx.QueryRow(ctx, dirt).Scan(&dead)
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact:  schema.Impact{"bytes": bytes},
		Summary: fmt.Sprintf("goes over %s (%s, about %s)", p.named(of), phrase.Size(bytes), phrase.Count(dead, "dead row", "dead rows")),
	}, nil
}
