package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// How long an ended call waits for the server's answer to its cancel request.
// An action's answer decides between "nothing changed" and "nobody knows", so
// it is waited for; both stay within the engine's ten seconds of grace.
const (
	probeCancelGrace  = time.Second
	actionCancelGrace = 4 * time.Second
	commitGrace       = 8 * time.Second // COMMIT is never cut short
)

// maxNameLength is what PostgreSQL keeps of an identifier, and of an
// application_name.
const maxNameLength = 63

// purpose tells what a session is for.
type purpose struct {
	key    string // idempotency key; its hash shows in the session list
	grace  time.Duration
	notice func(*pgconn.Notice) // nil: notices are dropped
}

// querier is a session, or a transaction in one.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// address is the server as people write it.
func (p *provider) address() string {
	if strings.HasPrefix(p.config.Host, "/") {
		return fmt.Sprintf("%s/.s.PGSQL.%d", strings.TrimRight(p.config.Host, "/"), p.config.Port)
	}
	return net.JoinHostPort(p.config.Host, strconv.Itoa(p.config.Port))
}

// connect opens a session. Errors are typed failures.
func (p *provider) connect(ctx context.Context, why purpose) (*pgx.Conn, error) {
	config, err := p.sessionConfig(why)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, p.connectFailure(ctx, err, time.Since(started))
	}
	return conn, nil
}

func (p *provider) sessionConfig(why purpose) (*pgx.ConnConfig, error) {
	settings := [][2]string{
		{"host", p.config.Host}, {"port", strconv.Itoa(p.config.Port)}, {"dbname", p.config.Database},
		{"user", p.config.User}, {"sslmode", p.config.SSLMode},
	}
	if p.config.SSLRootCert != "" {
		settings = append(settings, [2]string{"sslrootcert", p.config.SSLRootCert})
	}
	var text strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, s := range settings {
		fmt.Fprintf(&text, "%s='%s' ", s[0], escape.Replace(s[1]))
	}
	config, err := pgx.ParseConfig(text.String())
	if err != nil {
		var parsing *pgconn.ParseConfigError
		if errors.As(err, &parsing) && parsing.Unwrap() != nil {
			err = parsing.Unwrap()
		}
		return nil, sdk.Fail("invalid_configuration", "prepare the connection to %s: %v", p.address(), err)
	}
	if p.config.Password != "" {
		config.Password = p.config.Password
	}
	config.ConnectTimeout = p.config.ConnectTimeout
	config.RuntimeParams["application_name"] = p.applicationName(why.key)
	// Statements are described and run without a name: that works behind
	// poolers, and the server, not this side, gives parameters their types.
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	if why.notice != nil {
		config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { why.notice(n) }
	}
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: why.grace}
	}
	return config, nil
}

// applicationName ends in a hash of the key, by which Settle finds the session
// of an attempt that may still be at work.
func (p *provider) applicationName(key string) string {
	if key == "" {
		return clip(p.config.ApplicationName, maxNameLength)
	}
	mark := keyMark(key)
	return clip(p.config.ApplicationName, maxNameLength-len(mark)) + mark
}

// keyMark is the end of the application_name of every session of one key.
func keyMark(key string) string {
	sum := sha256.Sum256([]byte(key))
	return " key:" + hex.EncodeToString(sum[:6])
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// disconnect ends a session; the server rolls back what is open in it.
func disconnect(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeCancelGrace)
	defer cancel()
	_ = conn.Close(ctx) // the server ends the session either way
}

// read looks at the database in a READ ONLY transaction that the server itself
// ends at ctx's deadline. Errors are typed failures.
func (p *provider) read(ctx context.Context, look func(pgx.Tx) error) error {
	conn, err := p.connect(ctx, purpose{grace: probeCancelGrace})
	if err != nil {
		return err
	}
	defer disconnect(ctx, conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: "BEGIN READ ONLY;" + statementTimeout(ctx)})
	if err != nil {
		return p.failure(ctx, err)
	}
	return p.failure(ctx, look(tx))
}

// statementTimeout tells the server the time that is left, so that it stops
// even where nobody is there any more to cancel.
func statementTimeout(ctx context.Context) string {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ""
	}
	return fmt.Sprintf("SET LOCAL statement_timeout = %d", max(1, time.Until(deadline).Milliseconds()))
}
