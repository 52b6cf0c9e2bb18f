package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const connectionsDoc = `How many of the server's connections are in use, by state and by application, over all databases.
It is ok below max_ratio of what ordinary users may open. A role without pg_read_all_stats sees that others' sessions are there, not what they do.`

type connectionsArgs struct {
	MaxRatio float64 `runbook:"max_ratio" doc:"Share of the connections, from 0 to 1, from which on it is no longer ok." default:"0.9"`
}

type connectionsResult struct {
	sdk.Result
	Used              int64            `runbook:"used" doc:"Client connections now, this look's own included."`
	Available         int64            `runbook:"available" doc:"What ordinary users may open: max_connections less the reserved ones."`
	MaxConnections    int64            `runbook:"max_connections" doc:"The server's max_connections."`
	Ratio             float64          `runbook:"ratio" doc:"used divided by available."`
	Active            int64            `runbook:"active" doc:"Sessions at work."`
	Idle              int64            `runbook:"idle" doc:"Sessions that wait for their client."`
	IdleInTransaction int64            `runbook:"idle_in_transaction" doc:"Sessions that wait for their client within a transaction, holding its locks."`
	Hidden            int64            `runbook:"hidden" doc:"Sessions whose state this role may not see: they count as used, and neither as active nor as idle."`
	ByApplication     map[string]int64 `runbook:"by_application" doc:"Connections by application_name."`
	ByDatabase        map[string]int64 `runbook:"by_database" doc:"Connections by database."`
}

// sessionsSQL also counts sessions of which this role sees no backend_type: of
// processes that are not clients', only parallel workers have user and database.
const sessionsSQL = `SELECT coalesce(application_name, ''), coalesce(datname, ''), coalesce(state, CASE WHEN backend_type IS NULL THEN 'hidden' END, ''), count(*)
FROM pg_stat_activity WHERE backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL GROUP BY 1, 2, 3`

func (p *provider) connections(ctx context.Context, args connectionsArgs, _ *sdk.Call) (connectionsResult, error) {
	if args.MaxRatio <= 0 || args.MaxRatio > 1 {
		return connectionsResult{}, sdk.InvalidArgument("max_ratio", "max_ratio must be above 0 and at most 1, got %g", args.MaxRatio)
	}
	result := connectionsResult{ByApplication: map[string]int64{}, ByDatabase: map[string]int64{}}
	err := p.read(ctx, func(tx pgx.Tx) error {
		var reserved int64
		err := tx.QueryRow(ctx, `SELECT current_setting('max_connections')::int8,
(SELECT sum(setting::int8) FROM pg_settings WHERE name IN ('superuser_reserved_connections', 'reserved_connections'))`).
			Scan(&result.MaxConnections, &reserved)
		if err != nil {
			return err
		}
		result.Available = result.MaxConnections - reserved
		rows, err := tx.Query(ctx, sessionsSQL)
		if err != nil {
			return err
		}
		var application, database, state string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&application, &database, &state, &n}, func() error {
			result.add(application, database, state, n)
			return nil
		})
		return err
	})
	if err != nil {
		return connectionsResult{}, err
	}
	result.Ratio = float64(result.Used) / float64(max(1, result.Available))
	summary := fmt.Sprintf("%d of %d connections in use (%.0f %%), %d idle, %d idle in transaction",
		result.Used, result.Available, 100*result.Ratio, result.Idle, result.IdleInTransaction)
	if result.Hidden > 0 {
		summary += fmt.Sprintf("; what %s cannot be seen: grant this role pg_read_all_stats", phrase.Count(result.Hidden, "other does", "others do"))
	}
	result.Result = sdk.Result{OK: result.Ratio < args.MaxRatio, Summary: summary}
	return result, nil
}

func (r *connectionsResult) add(application, database, state string, n int64) {
	r.Used += n
	r.ByApplication[application] += n
	r.ByDatabase[database] += n
	switch state {
	case "active", "fastpath function call":
		r.Active += n
	case "hidden":
		r.Hidden += n
	case "idle":
		r.Idle += n
	case "idle in transaction", "idle in transaction (aborted)":
		r.IdleInTransaction += n
	}
}
