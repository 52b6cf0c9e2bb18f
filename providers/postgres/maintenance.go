package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// upkeep is what became of a VACUUM or REINDEX.
type upkeep struct {
	before, after int64 // bytes
	warnings      []string
	took          time.Duration
}

// maintain runs a statement that cannot run in a transaction, between two looks
// at a size, and streams what the server says about it. VACUUM and REINDEX skip
// what they may not touch with a mere warning, so warnings are collected.
func (p *provider) maintain(ctx context.Context, call *sdk.Call, statement, sizeSQL string) (upkeep, *pgx.Conn, error) {
	var done upkeep
	conn, err := p.connect(ctx, purpose{grace: actionCancelGrace, notice: func(n *pgconn.Notice) {
		call.Logf("%s: %s", n.Severity, n.Message)
		if n.SeverityUnlocalized == "WARNING" && !aboutCatalog(n.Message) {
			done.warnings = append(done.warnings, n.Message)
		}
	}})
	if err != nil {
		return upkeep{}, nil, sdk.Clean(err)
	}
	fail := func(err error) (upkeep, *pgx.Conn, error) {
		disconnect(ctx, conn)
		return upkeep{}, nil, err
	}
	stopWithClient(ctx, conn)
	if err := conn.QueryRow(ctx, sizeSQL).Scan(&done.before); err != nil {
		return fail(sdk.Clean(p.failure(ctx, err)))
	}
	started := time.Now()
	if _, err := conn.Exec(ctx, statement); err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) && strings.HasPrefix(said.Code, "42") {
			return fail(sdk.Clean(p.failure(ctx, err))) // refused before it began
		}
		return fail(p.sent(ctx, err))
	}
	done.took = time.Since(started)
	if err := conn.QueryRow(ctx, sizeSQL).Scan(&done.after); err != nil {
		return fail(p.failure(ctx, err))
	}
	return done, conn, nil
}

// aboutCatalog tells warnings about the system's own tables, which only a
// superuser maintains, from those about the database's.
func aboutCatalog(warning string) bool {
	return strings.Contains(warning, `"pg_`) || strings.Contains(warning, "system catalogs")
}

// totalSize is the query for the size of a table, of an index, or of the
// database.
func totalSize(function string, of table) string {
	if of == nil {
		return "SELECT pg_database_size(current_database())"
	}
	return fmt.Sprintf("SELECT %s(%s::regclass)", function, literal(of.sql()))
}
