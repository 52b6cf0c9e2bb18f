package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// checkBackup refuses a backup table that is of no use: one that holds rows
// would, restored, bring back more than this change took; one with other
// columns could not be restored at all. A missing one is fine.
func checkBackup(ctx context.Context, tx pgx.Tx, r rows) error {
	var exists, alike bool
	err := tx.QueryRow(ctx, `WITH shape AS (
 SELECT attrelid, array_agg(attname::text || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) AS columns
 FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN ($1::text::regclass, to_regclass($2)) GROUP BY attrelid)
SELECT to_regclass($2) IS NOT NULL, (SELECT count(DISTINCT columns) = 1 FROM shape)`, r.table.sql(), r.backup.sql()).Scan(&exists, &alike)
	if err != nil || !exists {
		return err
	}
	if !alike {
		return backupFailure("backup_differs", "the backup table %s has other columns than %s", r)
	}
	var filled bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+r.backup.sql()+")").Scan(&filled); err != nil {
		return err
	}
	if filled {
		return backupFailure("backup_not_empty", "the backup table %s already holds rows, so that those of %s could not be told apart", r)
	}
	return nil
}

func backupFailure(code, format string, r rows) *schema.Failure {
	f := sdk.Fail(code, format, r.backup, r.table)
	f.Remedy = "choose another name, such as one with the run's ID, or drop the old table once it is not needed"
	f.Argument = "backup_to"
	return f
}

// makeBackup creates the backup table or takes an empty one, and keeps others
// from filling it until the transaction ends.
func makeBackup(ctx context.Context, tx pgx.Tx, r rows) error {
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+r.backup.sql()+" (LIKE "+r.table.sql()+")"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+r.backup.sql()+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		return err
	}
	return checkBackup(ctx, tx, r)
}
