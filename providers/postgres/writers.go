package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const writersDoc = `Which sessions write to this database now: those whose open transaction holds a lock for writing on a table, or has written already, prepared transactions
and appliers of logical replication among them. Sessions that write and commit between two looks are seen by the server's counters, which are watched
for a while. It is ok when nobody writes. Vacuum does not count.`

type writersArgs struct {
	Watch  time.Duration `runbook:"watch" doc:"How long the counters are watched; the server brings them up to date about once a second. 0s does not watch them." default:"2s"`
	Ignore []string      `runbook:"ignore,optional" doc:"Sessions of these application_names do not count; what they write still shows in rows_written."`
}

type writer struct {
	PID         int64    `runbook:"pid" doc:"The session's process; 0 for a prepared transaction."`
	User        string   `runbook:"user" doc:"Its role; empty for a prepared transaction."`
	Application string   `runbook:"application" doc:"Its application_name; of a prepared transaction, its identifier."`
	State       string   `runbook:"state" doc:"active, idle in transaction, prepared or the like; empty where this role may not see it."`
	Tables      []string `runbook:"tables" doc:"Tables that it may write to; none are named where it has only been seen to have written."`
}

type writersResult struct {
	sdk.Result
	Writers     []writer `runbook:"writers" doc:"Who writes, in order of their processes."`
	RowsWritten int64    `runbook:"rows_written" doc:"Rows that were inserted, updated or deleted in this database while it was watched."`
	Watched     float64  `runbook:"watched_seconds" doc:"How long the counters were watched."`
}

// writersSQL takes the locks, which every role may see, and not what
// pg_stat_activity tells only to some.
const writersSQL = `WITH held AS (
 SELECT pid, virtualtransaction, transactionid, CASE WHEN locktype = 'relation' THEN relation::regclass::text END AS relation FROM pg_locks l
 WHERE pid IS DISTINCT FROM pg_backend_pid() AND (
  locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND EXISTS (SELECT FROM pg_class c WHERE c.oid = l.relation AND c.oid >= 16384 AND c.relkind IN ('r', 'p'))
   AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  OR locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted))
SELECT coalesce(h.pid, 0)::int8, coalesce(a.usename::text, ''), coalesce(max(a.application_name), max(p.gid), ''),
 CASE WHEN h.pid IS NULL THEN 'prepared' ELSE coalesce(max(a.state), '') END,
 coalesce(array_agg(DISTINCT h.relation ORDER BY h.relation) FILTER (WHERE h.relation IS NOT NULL), '{}')
FROM held h LEFT JOIN pg_stat_activity a ON a.pid = h.pid LEFT JOIN pg_prepared_xacts p ON h.pid IS NULL AND p.transaction = h.transactionid
WHERE (a.datname = current_database() OR h.pid IS NULL) AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender')
 AND (h.pid IS NOT NULL OR h.relation IS NOT NULL OR p.database = current_database())
GROUP BY h.pid, h.virtualtransaction, a.usename ORDER BY 1, 3`

const writtenSQL = `SELECT (tup_inserted + tup_updated + tup_deleted)::int8 FROM pg_stat_database WHERE datname = current_database()`

// writing lists who writes now.
func writing(ctx context.Context, from querier) ([]writer, error) {
	rows, err := from.Query(ctx, writersSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[writer])
}

func (p *provider) writers(ctx context.Context, args writersArgs, _ *sdk.Call) (writersResult, error) {
	if args.Watch < 0 {
		return writersResult{}, sdk.InvalidArgument("watch", "watch must not be negative, got %s", args.Watch)
	}
	var result writersResult
	conn, err := p.connect(ctx, purpose{grace: probeCancelGrace})
	if err != nil {
		return writersResult{}, err
	}
	defer disconnect(ctx, conn)
	err = func() error {
		if _, err := conn.Exec(ctx, "SET default_transaction_read_only = on;"+strings.Replace(statementTimeout(ctx), "LOCAL ", "", 1)); err != nil {
			return err
		}
		if result.Writers, err = writing(ctx, conn); err != nil {
			return err
		}
		if args.Watch == 0 {
			return nil
		}
		var before, after int64
		began := time.Now()
		if err := conn.QueryRow(ctx, writtenSQL).Scan(&before); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(args.Watch):
		}
		if err := conn.QueryRow(ctx, writtenSQL).Scan(&after); err != nil {
			return err
		}
		result.RowsWritten, result.Watched = after-before, time.Since(began).Seconds()
		return nil
	}()
	if err != nil {
		return writersResult{}, p.failure(ctx, err)
	}
	result.Writers = heeded(result.Writers, args.Ignore)
	result.Result = result.judge(p.config.Database)
	return result, nil
}

// heeded leaves out the sessions that do not count.
func heeded(all []writer, ignore []string) []writer {
	var left []writer
	for _, w := range all {
		ignored := false
		for _, name := range ignore {
			ignored = ignored || w.PID != 0 && w.Application == name
		}
		if !ignored {
			left = append(left, w)
		}
	}
	return left
}

func (r writersResult) judge(database string) sdk.Result {
	switch {
	case len(r.Writers) > 0:
		return sdk.NotOK("%s to %s: %s", phrase.Count(int64(len(r.Writers)), "session writes", "sessions write"), database, named(r.Writers))
	case r.RowsWritten > 0:
		return sdk.NotOK("nobody is seen at it, and %s of %s changed within %s", phrase.Count(r.RowsWritten, "row", "rows"), database, phrase.Span(r.Watched))
	case r.Watched == 0:
		return sdk.OK("nobody writes to %s at this moment", database)
	}
	return sdk.OK("nobody has written to %s for %s", database, phrase.Span(r.Watched))
}

// named are the first few of them in one line.
func named(writers []writer) string {
	var said []string
	for _, w := range writers[:min(len(writers), sampleRows)] {
		text := fmt.Sprintf("process %d: %s of %s", w.PID, w.Application, w.User)
		if w.PID == 0 {
			text = "prepared transaction " + w.Application
		}
		if len(w.Tables) > 0 {
			text += " (" + strings.Join(w.Tables[:min(len(w.Tables), sampleRows)], ", ") + ")"
		}
		said = append(said, text)
	}
	return strings.Join(said, "; ")
}

// quiet refuses to go on while anybody writes.
func quiet(ctx context.Context, from querier, database string) error {
	found, err := writing(ctx, from)
	if err != nil || len(found) == 0 {
		return err
	}
	return &schema.Failure{
		Code: "writers_present", Retryable: true,
		Message: fmt.Sprintf("%s to %s, and what they write would be lost: %s", phrase.Count(int64(len(found)), "session writes", "sessions write"), database, named(found)),
		Remedy:  "stop the writers first; postgres.writers tells when they are gone",
	}
}
