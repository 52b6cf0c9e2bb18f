package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const locksDoc = `Which sessions of this database wait for a lock, and which sessions make them wait. It is ok when none has waited longer than longer_than.
A role without pg_read_all_stats does not see since when others wait: those count as waiting longer.`

type locksArgs struct {
	LongerThan time.Duration `runbook:"longer_than" doc:"Waits up to this long are left out." default:"0s"`
}

type waiting struct {
	PID            int64    `runbook:"pid" doc:"The waiting session's process."`
	User           string   `runbook:"user" doc:"Its role."`
	Application    string   `runbook:"application" doc:"Its application_name."`
	Query          string   `runbook:"query" doc:"Its statement, cut at 200 characters."`
	Relation       string   `runbook:"relation" doc:"The table or index waited for; empty where it waits for a transaction."`
	WaitingSeconds *float64 `runbook:"waiting_seconds" doc:"For how long its state has not changed; null where this role may not see it."`
	BlockedBy      []int64  `runbook:"blocked_by" doc:"Processes that make it wait."`
}

type locksResult struct {
	sdk.Result
	Waiting  []waiting `runbook:"waiting" doc:"The waiting sessions, longest first."`
	Blockers []blocker `runbook:"blockers" doc:"The sessions that make others wait and do not wait themselves."`
}

type blocker struct {
	PID         int64    `runbook:"pid" doc:"The session's process."`
	User        string   `runbook:"user" doc:"Its role."`
	Application string   `runbook:"application" doc:"Its application_name."`
	State       string   `runbook:"state" doc:"What it does: active, idle in transaction …"`
	Query       string   `runbook:"query" doc:"Its last statement, cut at 200 characters."`
	OpenSeconds *float64 `runbook:"open_seconds" doc:"How long its transaction has been open; null where this role may not see it."`
}

const waitingSQL = `SELECT a.pid::int8, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), left(coalesce(a.query, ''), 200),
coalesce((SELECT l.relation::regclass::text FROM pg_locks l
 WHERE l.pid = a.pid AND NOT l.granted AND l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
 LIMIT 1), ''),
extract(epoch FROM clock_timestamp() - coalesce(a.state_change, a.query_start))::float8,
ARRAY(SELECT DISTINCT unnest(pg_blocking_pids(a.pid))::int8)
FROM pg_stat_activity a
WHERE a.datname = current_database() AND cardinality(pg_blocking_pids(a.pid)) > 0
ORDER BY 6 DESC NULLS LAST, 1`

const blockersSQL = `SELECT pid::int8, coalesce(usename::text, ''), coalesce(application_name, ''), coalesce(state, ''), left(coalesce(query, ''), 200),
extract(epoch FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity WHERE pid = ANY($1) AND cardinality(pg_blocking_pids(pid)) = 0 ORDER BY pid`

func (p *provider) locks(ctx context.Context, args locksArgs, _ *sdk.Call) (locksResult, error) {
	var result locksResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, waitingSQL)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
		if err != nil {
			return err
		}
		var pids []int64
		for _, w := range all {
			if w.WaitingSeconds == nil || *w.WaitingSeconds >= args.LongerThan.Seconds() {
				result.Waiting = append(result.Waiting, w)
				pids = append(pids, w.BlockedBy...)
			}
		}
		rows, err = tx.Query(ctx, blockersSQL, pids)
		if err != nil {
			return err
		}
		result.Blockers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[blocker])
		return err
	})
	if err != nil {
		return locksResult{}, err
	}
	if len(result.Waiting) == 0 {
		result.Result = sdk.OK("no session waits for a lock")
		return result, nil
	}
	since := ", since when this role may not see"
	if longest := result.Waiting[0].WaitingSeconds; longest != nil {
		since = ", the longest for " + phrase.Span(*longest)
	}
	by := ""
	if len(result.Blockers) > 0 {
		b := result.Blockers[0]
		by = fmt.Sprintf("; process %d (%s, %s) blocks", b.PID, b.Application, cmp.Or(b.State, "state not seen"))
	}
	result.Result = sdk.NotOK("%s for a lock%s%s", phrase.Count(int64(len(result.Waiting)), "session waits", "sessions wait"), since, by)
	return result, nil
}
