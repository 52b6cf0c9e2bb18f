package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// lockPause is the pause between two looks at a session that may wait for a lock.
const lockPause = 100 * time.Millisecond

// blockedSQL tells who keeps a session waiting for a lock.
const blockedSQL = `SELECT a.pid, (SELECT string_agg(format('process %s: %s of %s', b.pid, b.application_name, b.usename), '; ' ORDER BY b.pid)
 FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid)))
FROM pg_stat_activity a WHERE a.application_name = $1 AND a.datname = current_database() AND cardinality(pg_blocking_pids(a.pid)) > 0`

// watchLocks ends the session of that application_name once it has waited for one
// lock for longer than patience: pg_restore sets lock_timeout to none itself. It
// has conn to itself until done is called, which tells who was waited for; empty:
// nothing was ended.
func watchLocks(ctx context.Context, conn *pgx.Conn, application string, patience time.Duration) (done func() (by string)) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan string, 1)
	go func() {
		var since time.Time
		for {
			var pid int64
			var by string
			err := conn.QueryRow(ctx, blockedSQL, application).Scan(&pid, &by)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				since = time.Time{}
			case err != nil:
				ended <- ""
				return
			case since.IsZero():
				since = time.Now()
			case time.Since(since) > patience:
				if _, err := conn.Exec(ctx, "SELECT pg_terminate_backend($1::int)", pid); err != nil {
					by = ""
				}
				ended <- by
				return
			}
			select {
			case <-ctx.Done():
				ended <- ""
				return
			case <-time.After(lockPause):
			}
		}
	}()
	return func() string {
		stop()
		return <-ended
	}
}
