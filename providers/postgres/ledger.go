package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// ledger is the table of the keys that were committed. A key's row is written
// in the transaction of the work itself: either both are there or neither.
const ledger = "runbook_attempts"

const createLedger = "CREATE TABLE IF NOT EXISTS " + ledger + " (key text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), rows bigint)"

// ledgerDoc ends the doc of every keyed action.
const ledgerDoc = `
It is done once for one key: the step's key is written in the same transaction into the table ` + ledger + ` (key, at, rows),
which the first use creates beside the data, and the same key again only returns what was recorded.`

// attempt is what the ledger holds of a key.
type attempt struct {
	Rows     int64
	At       time.Time
	Repeated bool // the work was done by an earlier attempt
}

// ensureLedger creates the table where it is missing.
func (p *provider) ensureLedger(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('"+ledger+"') IS NOT NULL").Scan(&exists); err != nil {
		return p.failure(ctx, err)
	}
	if exists {
		return nil
	}
	_, err := conn.Exec(ctx, createLedger)
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return p.failure(ctx, err)
	}
	switch said.Code {
	case "42P07", "23505": // somebody else has just created it
		return nil
	case "42501", "3F000":
		return p.ledgerFailure("create", said)
	}
	return p.failure(ctx, err)
}

func (p *provider) ledgerFailure(verb string, said *pgconn.PgError) *schema.Failure {
	return &schema.Failure{
		Code:    "attempts_table",
		Message: fmt.Sprintf("cannot %s the table %s, which keeps a step from being done twice: %s", verb, ledger, sentence(said)),
		Remedy: fmt.Sprintf("let the database's owner run: %s; GRANT SELECT, INSERT, UPDATE ON %s TO %s",
			createLedger, ledger, column(p.config.User)),
	}
}

// claim writes the key, or returns what an earlier attempt recorded. It waits
// for a transaction that has claimed the same key and has not ended.
func (p *provider) claim(ctx context.Context, tx pgx.Tx, key string) (*attempt, error) {
	tag, err := tx.Exec(ctx, "INSERT INTO "+ledger+" (key) VALUES ($1) ON CONFLICT (key) DO NOTHING", key)
	if err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) && said.Code == "42501" {
			return nil, p.ledgerFailure("write", said)
		}
		return nil, err
	}
	if tag.RowsAffected() > 0 {
		return nil, nil
	}
	return recorded(ctx, tx, key)
}

// recorded reads a key's row; nil where there is none.
func recorded(ctx context.Context, from querier, key string) (*attempt, error) {
	found := attempt{Repeated: true}
	err := from.QueryRow(ctx, "SELECT at, coalesce(rows, 0) FROM "+ledger+" WHERE key = $1", key).Scan(&found.At, &found.Rows)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// settle tells what became of a key whose attempt got no answer. Sessions are
// looked at before the ledger: once none is left, nothing can be committed any
// more, and the ledger's word is final.
func (p *provider) settle(ctx context.Context, key string) (*attempt, schema.State, error) {
	if key == "" {
		return nil, schema.Unknown, sdk.Fail("no_key", "an attempt without a key leaves no trace to settle it by")
	}
	conn, err := p.connect(ctx, purpose{grace: probeCancelGrace})
	if err != nil {
		return nil, schema.Unknown, err
	}
	defer disconnect(ctx, conn)
	var working []int64
	err = conn.QueryRow(ctx, `SELECT array_agg(pid::int8) FROM pg_stat_activity
WHERE datname = current_database() AND right(application_name, length($1)) = $1`, keyMark(key)).Scan(&working)
	if err != nil {
		return nil, schema.Unknown, p.failure(ctx, err)
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('"+ledger+"') IS NOT NULL").Scan(&exists); err != nil {
		return nil, schema.Unknown, p.failure(ctx, err)
	}
	var found *attempt
	if exists {
		if found, err = recorded(ctx, conn, key); err != nil {
			return nil, schema.Unknown, p.failure(ctx, err)
		}
	}
	switch {
	case found != nil:
		return found, schema.Done, nil
	case len(working) > 0:
		return nil, schema.Running, sdk.Fail("still_running", "the attempt's session is still open on the server: process %d", working[0])
	}
	return nil, schema.FailedClean, &schema.Failure{
		Code: "not_committed", Message: "the attempt's transaction was never committed", Retryable: true,
	}
}
