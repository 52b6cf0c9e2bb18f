package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const terminateDoc = `Ends sessions that have been idle for longer than older_than, in one database only, never a session of this provider.
Sessions within a transaction are left alone unless in_transaction is set, which rolls their work back and counts as destructive.
The preview lists them. More of them than the step's limit: none is ended.`

type terminateArgs struct {
	OlderThan     time.Duration `runbook:"older_than" doc:"Sessions idle for longer than this are ended."`
	Database      string        `runbook:"database,optional" doc:"Database whose sessions are meant; without one the provider's."`
	User          string        `runbook:"user,optional" doc:"Only sessions of this role."`
	Application   string        `runbook:"application,optional" doc:"Only sessions with this application_name."`
	InTransaction bool          `runbook:"in_transaction" doc:"Also those that sit idle within a transaction." default:"false"`
}

type idleSession struct {
	PID         int64   `runbook:"pid" doc:"The session's process."`
	Database    string  `runbook:"database" doc:"Its database."`
	User        string  `runbook:"user" doc:"Its role."`
	Application string  `runbook:"application" doc:"Its application_name."`
	State       string  `runbook:"state" doc:"idle, idle in transaction, or idle in transaction (aborted)."`
	IdleSeconds float64 `runbook:"idle_seconds" doc:"How long it had been idle."`
}

type terminateResult struct {
	sdk.Result
	Terminated int64         `runbook:"terminated" doc:"How many sessions were ended."`
	Sessions   []idleSession `runbook:"sessions" doc:"The sessions that were ended."`
}

// idleSQL leaves out this provider's own sessions, those of other runs too.
const idleSQL = `SELECT pid::int8, datname::text, coalesce(usename::text, ''), coalesce(application_name, ''), state,
extract(epoch FROM clock_timestamp() - state_change)::float8
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
AND (state = 'idle' OR $1::bool AND state LIKE 'idle in transaction%')
AND state_change < clock_timestamp() - make_interval(secs => $2::float8)
AND datname = $3::text AND ($4::text = '' OR usename = $4) AND ($5::text = '' OR application_name = $5)
AND application_name <> $6::text AND left(application_name, length($6) + 5) <> $6 || ' key:'
ORDER BY 6 DESC, 1`

// hiddenSQL counts the sessions whose state this role may not see.
const hiddenSQL = `SELECT count(*) FROM pg_stat_activity
WHERE datname = $1::text AND backend_type IS NULL AND ($2::text = '' OR usename = $2)`

// idle lists the sessions that are meant. Where there are some that this role
// may not see, it fails: an idle one among them would be left, and unsaid.
func (p *provider) idle(ctx context.Context, from querier, args terminateArgs) ([]idleSession, error) {
	var hidden int64
	if err := from.QueryRow(ctx, hiddenSQL, p.database(args), args.User).Scan(&hidden); err != nil {
		return nil, err
	}
	if hidden > 0 {
		return nil, &schema.Failure{
			Code:    "sessions_hidden",
			Message: fmt.Sprintf("role %s may not see the state of %s of %s", p.config.User, phrase.Count(hidden, "session", "sessions"), p.database(args)),
			Remedy:  "grant it pg_read_all_stats and pg_signal_backend, or name its own sessions with user",
		}
	}
	rows, err := from.Query(ctx, idleSQL, args.InTransaction, args.OlderThan.Seconds(), p.database(args), args.User, args.Application, p.config.ApplicationName)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[idleSession])
}

func (p *provider) database(args terminateArgs) string {
	if args.Database != "" {
		return args.Database
	}
	return p.config.Database
}

func (p *provider) terminateIdle(ctx context.Context, args terminateArgs, call *sdk.Call) (terminateResult, error) {
	if f := args.validate(); f != nil {
		return terminateResult{}, sdk.Clean(f)
	}
	conn, err := p.connect(ctx, purpose{grace: actionCancelGrace})
	if err != nil {
		return terminateResult{}, sdk.Clean(err)
	}
	defer disconnect(ctx, conn)
	found, err := p.idle(ctx, conn, args)
	if err != nil {
		return terminateResult{}, sdk.Clean(p.failure(ctx, err))
	}
	if limit, ok := call.Limit("connections"); ok && int64(len(found)) > limit {
		f := sdk.Fail("limit_exceeded", "%s would be ended, the limit is %d; none was",
			phrase.Count(int64(len(found)), "session", "sessions"), limit)
		f.Remedy = "look at them with postgres.connections, then name user or application, or raise limit"
		return terminateResult{}, sdk.Clean(f)
	}
	var result terminateResult
	for _, s := range found {
		ended, err := args.terminate(ctx, conn, s.PID)
		switch {
		case refused(err) && len(result.Sessions) == 0:
			return terminateResult{}, sdk.Clean(p.failure(ctx, err))
		case err != nil:
			return terminateResult{}, fmt.Errorf("after ending %s: %w", phrase.Count(result.Terminated, "session", "sessions"), p.sent(ctx, err))
		case ended:
			result.Terminated++
			result.Sessions = append(result.Sessions, s)
			call.Logf("ended process %d: %s of %s, idle for %s", s.PID, s.Application, s.User, phrase.Span(s.IdleSeconds))
		}
	}
	result.Result = sdk.OK("ended %s of %s", phrase.Count(result.Terminated, "idle session", "idle sessions"), p.database(args))
	return result, nil
}

// refused tells whether the server did not let the role end a session; after
// any other error the session may have been told to end.
func refused(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "42501"
}

// terminate ends one session if it is still as idle as it must be, and waits
// until it is gone where the server can; false means that it was busy or gone
// by then.
func (args terminateArgs) terminate(ctx context.Context, conn *pgx.Conn, pid int64) (bool, error) {
	call := "pg_terminate_backend(pid)"
	if version, err := serverVersion(conn); err == nil && version >= 14 {
		call = "pg_terminate_backend(pid, 5000)"
	}
	var ended bool
	err := conn.QueryRow(ctx, "SELECT coalesce(bool_or("+call+`), false) FROM pg_stat_activity
WHERE pid = $1 AND (state = 'idle' OR $2::bool AND state LIKE 'idle in transaction%')
AND state_change < clock_timestamp() - make_interval(secs => $3::float8)`, pid, args.InTransaction, args.OlderThan.Seconds()).Scan(&ended)
	return ended, err
}

// serverVersion is the server's major version.
func serverVersion(conn *pgx.Conn) (int, error) {
	var major int
	_, err := fmt.Sscanf(conn.PgConn().ParameterStatus("server_version"), "%d", &major)
	return major, err
}

func (args terminateArgs) validate() *schema.Failure {
	if args.OlderThan <= 0 {
		return sdk.InvalidArgument("older_than", "older_than must be positive, got %s", args.OlderThan)
	}
	return nil
}

func (p *provider) describeTerminate(args terminateArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: args.InTransaction || call.Unknown("in_transaction")}
	of := p.config
	of.Database = p.database(args)
	there := provider{config: of}
	d.Effects = []schema.Effect{{Resource: there.resource(nil) + "/pg_stat_activity", Mode: schema.Write}}
	if call.Unknown("database") {
		there.config.Database = ""
		d.Effects[0].Resource = there.resource(nil)
	}
	for _, name := range []string{"older_than", "database", "user", "application", "in_transaction"} {
		if call.Unknown(name) {
			d.Summary = "ends idle sessions"
			return d
		}
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("ends sessions of %s that have been idle for more than %s", of.Database, args.OlderThan)
	d.Command = p.psql(args.statement(of.Database))
	return d
}

// statement is what a person would run.
func (args terminateArgs) statement(database string) string {
	sql := "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
	if args.InTransaction {
		sql += " AND state LIKE 'idle%'"
	} else {
		sql += " AND state = 'idle'"
	}
	sql += fmt.Sprintf(" AND state_change < now() - interval '%g seconds' AND datname = %s", args.OlderThan.Seconds(), literal(database))
	if args.User != "" {
		sql += " AND usename = " + literal(args.User)
	}
	if args.Application != "" {
		sql += " AND application_name = " + literal(args.Application)
	}
	return sql
}

func (p *provider) previewTerminate(ctx context.Context, args terminateArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var seen sdk.PreviewResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		found, err := p.idle(ctx, tx, args)
		if err != nil {
			return err
		}
		for _, s := range found[:min(len(found), 4*sampleRows)] {
			seen.Sample = append(seen.Sample, fmt.Sprintf("process %d: %s of %s in %s, %s for %s", s.PID, s.Application, s.User, s.Database, s.State, phrase.Span(s.IdleSeconds)))
		}
		seen.Impact = schema.Impact{"connections": int64(len(found))}
		seen.Summary = fmt.Sprintf("ends %s of %s", phrase.Count(int64(len(found)), "idle session", "idle sessions"), p.database(args))
		return nil
	})
	return seen, err
}
