package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// transact does the work in one transaction, once for one key. Its errors say
// how far it got: everything before COMMIT is sent is clean, since the server
// rolls back what is not committed; an unanswered COMMIT is uncertain.
func (p *provider) transact(ctx context.Context, key string, work func(pgx.Tx) (int64, error)) (attempt, error) {
	conn, err := p.connect(ctx, purpose{key: key, grace: actionCancelGrace})
	if err != nil {
		return attempt{}, sdk.Clean(err)
	}
	defer disconnect(ctx, conn)
	if key != "" {
		if err := p.ensureLedger(ctx, conn); err != nil {
			return attempt{}, sdk.Clean(err)
		}
	}
	stopWithClient(ctx, conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{
		BeginQuery: "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 60000;" + statementTimeout(ctx),
	})
	if err != nil {
		return attempt{}, sdk.Clean(p.failure(ctx, err))
	}
	done, err := p.within(ctx, tx, key, work)
	if err != nil || done.Repeated {
		p.rollback(ctx, tx)
		return done, sdk.Clean(p.failure(ctx, err))
	}
	if conn.PgConn().TxStatus() != 'T' {
		return attempt{}, sdk.Fail("transaction_left", "the statement ended the transaction that it ran in")
	}
	if err := p.commit(ctx, tx); err != nil {
		return attempt{}, err
	}
	return done, nil
}

// within is the part between BEGIN and COMMIT.
func (p *provider) within(ctx context.Context, tx pgx.Tx, key string, work func(pgx.Tx) (int64, error)) (attempt, error) {
	if key != "" {
		earlier, err := p.claim(ctx, tx, key)
		if err != nil {
			return attempt{}, err
		}
		if earlier != nil {
			return *earlier, nil
		}
	}
	var done attempt
	var err error
	if done.Rows, err = work(tx); err != nil {
		return attempt{}, err
	}
	if key == "" {
		err = tx.QueryRow(ctx, "SELECT now()").Scan(&done.At)
	} else {
		err = tx.QueryRow(ctx, "UPDATE "+ledger+" SET rows = $2 WHERE key = $1 RETURNING at", key, done.Rows).Scan(&done.At)
	}
	if err == nil {
		err = ctx.Err()
	}
	return done, err
}

// commit ends the transaction. A cancelled call does not cut COMMIT short: its
// answer is worth the wait.
func (p *provider) commit(ctx context.Context, tx pgx.Tx) error {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(commitGrace):
			cancel()
		case <-patient.Done():
		}
	})
	defer stop()
	if tx.Conn().IsClosed() {
		return sdk.Clean(p.failure(ctx, pgconn.ErrConnClosed)) // COMMIT is never sent
	}
	err := tx.Commit(patient)
	var said *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return sdk.Clean(&schema.Failure{
			Code: "rolled_back", Message: "PostgreSQL rolled the transaction back at COMMIT", Retryable: true,
		})
	case errors.As(err, &said) && said.SeverityUnlocalized == "ERROR" && said.Code != "40003" && said.Code != "08007":
		return sdk.Clean(p.serverFailure(said))
	}
	// pgconn.SafeToRetry is no help: it is true of the "conn closed" by which
	// the driver tells that the connection ended while it read the answer.
	return sdk.Uncertain(&schema.Failure{
		Code:    "commit_unknown",
		Message: "the connection to PostgreSQL at " + p.address() + " was lost before COMMIT was answered: " + reach.Cause(err),
		Remedy:  "resume the run: the key in " + ledger + " tells whether it was committed",
	})
}

// rollback is told to the server even where the call was cancelled, so that no
// lock outlives the call.
func (p *provider) rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionCancelGrace)
	defer cancel()
	_ = tx.Rollback(ctx) // without an answer the server rolls back at the session's end
}

// stopWithClient has the server end a long statement soon after this process
// is gone. Servers before 14, and some platforms, do not know the setting.
func stopWithClient(ctx context.Context, conn *pgx.Conn) {
	_, _ = conn.Exec(ctx, "SET client_connection_check_interval = '1s'")
}

// bounds is how many rows a change may hit.
type bounds struct {
	Min *int64 `runbook:"min" doc:"At least so many rows."`
	Max *int64 `runbook:"max" doc:"At most so many rows."`
}

// keep decides whether a change of so many rows may be committed.
func (b *bounds) keep(rows int64, call *sdk.Call) error {
	limit, limited := call.Limit("rows")
	switch {
	case limited && rows > limit:
		f := sdk.Fail("limit_exceeded", "%s would be hit, the limit is %d; it was rolled back", phrase.Count(rows, "row", "rows"), limit)
		f.Remedy = "look at the rows, then narrow the condition or raise limit"
		return f
	case b != nil && b.Min != nil && rows < *b.Min:
		return unexpectedRows(rows, "at least", *b.Min)
	case b != nil && b.Max != nil && rows > *b.Max:
		return unexpectedRows(rows, "at most", *b.Max)
	}
	return nil
}

func unexpectedRows(rows int64, comparison string, bound int64) *schema.Failure {
	f := sdk.Fail("unexpected_rows", "%s would be hit, expect_rows says %s %d; it was rolled back", phrase.Count(rows, "row", "rows"), comparison, bound)
	f.Remedy = "look at the data, then correct the condition or expect_rows"
	return f
}

// validate says what is wrong with the bounds themselves.
func (b *bounds) validate() *schema.Failure {
	if b != nil && b.Min != nil && b.Max != nil && *b.Min > *b.Max {
		return sdk.InvalidArgument("expect_rows", "expect_rows wants at least %d and at most %d rows", *b.Min, *b.Max)
	}
	return nil
}
