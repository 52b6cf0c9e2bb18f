package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const restoreDoc = `Restores a dump into the database, by pg_restore in one transaction: wholly or not at all. What the dump holds is dropped first and made anew, so that everything
written since is lost; with into_empty it goes into a database without tables only. The dump has to verify, as postgres.archives verifies it, and nobody may write to
the database. The preview lists what is in the dump. Doing it again comes to the same, and into an empty database it is done once.
The database has to be there, and a dump of all of a database also brings back the table ` + ledger + ` as it was.`

type restoreArgs struct {
	Path        string        `runbook:"path" doc:"The dump, such as backups/market.dump; a relative one starts from the runbook's folder."`
	IntoEmpty   bool          `runbook:"into_empty" doc:"Refuse a database that holds tables, instead of dropping what the dump holds." default:"false"`
	NoOwner     bool          `runbook:"no_owner" doc:"Everything belongs to the provider's role afterwards, instead of to the roles of the dump." default:"false"`
	Checksum    bool          `runbook:"checksum" doc:"Refuse a dump whose SHA-256 is not in PATH.sha256." default:"true"`
	Writers     bool          `runbook:"despite_writers" doc:"Go on while others write; what they write may be lost." default:"false"`
	LockTimeout time.Duration `runbook:"lock_timeout" doc:"How long to wait for whoever holds what is to be dropped." default:"30s"`
}

type restoreResult struct {
	sdk.Result
	Path            string  `runbook:"path" doc:"The dump."`
	SHA256          string  `runbook:"sha256" doc:"Its SHA-256, in hex; empty where it was not computed."`
	Objects         int64   `runbook:"objects" doc:"All that pg_restore lists of it, and has restored."`
	Tables          int64   `runbook:"tables" doc:"Tables whose rows were restored."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long it took."`
}

// filledSQL tells whether the database holds tables.
const filledSQL = `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))`

func (args restoreArgs) validate() *schema.Failure {
	switch {
	case args.Path == "":
		return sdk.InvalidArgument("path", "path must name a dump")
	case args.LockTimeout <= 0:
		return sdk.InvalidArgument("lock_timeout", "lock_timeout must be positive, got %s", args.LockTimeout)
	}
	return nil
}

func (args restoreArgs) options(database string) []string {
	argv := []string{"--single-transaction", "--exit-on-error", "--dbname=" + connectionName(database)}
	if !args.IntoEmpty {
		argv = append(argv, "--clean", "--if-exists")
	}
	if args.NoOwner {
		argv = append(argv, "--no-owner")
	}
	return argv
}

// usable is the dump, if it may be restored.
func (p *provider) usable(ctx context.Context, args restoreArgs, call *sdk.Call) (archive, tool, error) {
	restore, f := p.tool("pg_restore")
	if f != nil {
		return archive{}, tool{}, f
	}
	a, err := p.inspect(ctx, call, restore, p.path(args.Path), args.Checksum)
	if err == nil && !a.Verified {
		f := unverified(a)
		f.Argument, f.Remedy = "path", "take one that verifies: postgres.archives tells which do"
		err = f
	}
	return a, restore, err
}

// free refuses a database that must not be restored into now.
func (p *provider) free(ctx context.Context, args restoreArgs, from querier) error {
	if args.IntoEmpty {
		var filled bool
		if err := from.QueryRow(ctx, filledSQL).Scan(&filled); err != nil {
			return err
		}
		if filled {
			return &schema.Failure{
				Code: "not_empty", Argument: "into_empty", Message: fmt.Sprintf("the database %s holds tables already", p.config.Database),
				Remedy: "restore into a new database, or leave into_empty out to replace what is there",
			}
		}
	}
	if args.Writers {
		return nil
	}
	return quiet(ctx, from, p.config.Database)
}

func (p *provider) restore(ctx context.Context, args restoreArgs, call *sdk.Call) (restoreResult, error) {
	if f := args.validate(); f != nil {
		return restoreResult{}, sdk.Clean(f)
	}
	began := time.Now()
	a, restore, err := p.usable(ctx, args, call)
	if err != nil {
		return restoreResult{}, sdk.Clean(p.failure(ctx, err))
	}
	conn, err := p.connect(ctx, purpose{grace: actionCancelGrace})
	if err != nil {
		return restoreResult{}, sdk.Clean(err)
	}
	defer disconnect(ctx, conn)
	if err := p.free(ctx, args, conn); err != nil {
		return restoreResult{}, sdk.Clean(p.failure(ctx, err))
	}
	application := p.applicationName(call.Key())
	argv, env := p.connection(application)
	env = append(env, sessionOptions(conn))
	held := watchLocks(ctx, conn, application, args.LockTimeout)
	call.Logf("restoring %s: %s", a.Path, phrase.Count(a.Entries, "object", "objects"))
	_, err = restore.run(ctx, call, env, append(append(argv, args.options(p.config.Database)...), a.Path)...)
	if by := held(); by != "" && err != nil { // without: it had come to its end by then
		f := sdk.Fail("lock_timeout", "it waited longer than %s for what others hold, and was stopped: %s", args.LockTimeout, by)
		f.Remedy, f.Retryable = "end those sessions, or raise lock_timeout; postgres.locks shows who waits for whom", true
		return restoreResult{}, sdk.Clean(f) // it was ended in a wait, so before COMMIT
	}
	if err != nil {
		return restoreResult{}, p.interrupted(ctx, conn, application, err)
	}
	result := restoreResult{Path: a.Path, SHA256: a.SHA256, Objects: a.Entries, Tables: a.Tables, DurationSeconds: time.Since(began).Seconds()}
	result.Result = sdk.OK("restored %s of %s into %s", phrase.Count(a.Entries, "object", "objects"), a.Path, p.config.Database)
	return result, nil
}

// interrupted types the bad end of pg_restore. What the server answered with an
// error it has taken back; of a connection that was lost nobody knows, once its
// session is sure to be gone.
func (p *provider) interrupted(ctx context.Context, conn *pgx.Conn, application string, err error) error {
	f := p.ended(ctx, err)
	var tool *toolError
	if errors.As(err, &tool) && ctx.Err() == nil && strings.Contains(tool.said, "ERROR:") {
		return sdk.Clean(f)
	}
	endSessions(ctx, conn, application)
	return sdk.Uncertain(f)
}

// settleRestore tells what became of a restore into an empty database: in one
// transaction it is all there or nothing.
func (p *provider) settleRestore(ctx context.Context, args restoreArgs, call *sdk.Call) (restoreResult, schema.State, error) {
	if !args.IntoEmpty {
		return restoreResult{}, schema.Unknown, nil
	}
	a, _, err := p.usable(ctx, args, call)
	if err != nil {
		return restoreResult{}, schema.Unknown, p.failure(ctx, err)
	}
	var filled bool
	var working int64
	err = p.read(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()", p.applicationName(call.Key())).Scan(&working)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, filledSQL).Scan(&filled)
	})
	switch {
	case err != nil:
		return restoreResult{}, schema.Unknown, err
	case working > 0:
		return restoreResult{}, schema.Running, sdk.Fail("still_running", "the restore's session is still open on the server")
	case !filled:
		return restoreResult{}, schema.FailedClean, &schema.Failure{Code: "not_committed", Retryable: true, Message: "nothing was restored: the database holds no tables"}
	}
	result := restoreResult{Path: a.Path, SHA256: a.SHA256, Objects: a.Entries, Tables: a.Tables}
	result.Result = sdk.OK("restored %s of %s into %s", phrase.Count(a.Entries, "object", "objects"), a.Path, p.config.Database)
	return result, schema.Done, nil
}

func (p *provider) describeRestore(args restoreArgs, call *sdk.Call) sdk.Description {
	vague := call.Unknown("path") || call.Unknown("into_empty") || call.Unknown("no_owner") || call.Unknown("checksum") ||
		call.Unknown("despite_writers") || call.Unknown("lock_timeout")
	d := sdk.Description{
		Destructive: !args.IntoEmpty || call.Unknown("into_empty"), Summary: "restores a dump into the database " + p.config.Database,
		Effects: []schema.Effect{{Resource: p.resource(nil), Mode: schema.Write}},
	}
	if d.Destructive {
		d.Effects[0].Mode = schema.Delete
	} else {
		d.Settling = schema.Observed
	}
	if vague {
		return d
	}
	d.Effects = append(d.Effects, schema.Effect{Resource: fileResource(p.path(args.Path)), Mode: schema.Read})
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("restores %s into the database %s", args.Path, p.config.Database)
	if d.Destructive {
		d.Summary += ", over what is there"
	}
	argv, _ := p.connection("")
	d.Command = append(append(append([]string{"pg_restore"}, argv...), args.options(p.config.Database)...), args.Path)
	return d
}

func (p *provider) previewRestore(ctx context.Context, args restoreArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	a, _, err := p.usable(ctx, args, call)
	if err != nil {
		return sdk.PreviewResult{}, p.failure(ctx, err)
	}
	var holds int64
	err = p.read(ctx, func(tx pgx.Tx) error {
		if err := p.free(ctx, args, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT coalesce(sum(n_live_tup), 0)::int8 FROM pg_stat_user_tables").Scan(&holds)
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	seen := sdk.PreviewResult{
		Impact: schema.Impact{"objects": a.Entries},
		Summary: fmt.Sprintf("restores %s of a dump of %s, written %s, into %s, which holds about %s",
			phrase.Count(a.Entries, "object", "objects"), a.Database, a.At.UTC().Format(time.RFC3339), p.config.Database, phrase.Count(holds, "row", "rows")),
		Sample: a.listed[:min(len(a.listed), 4*sampleRows)],
	}
	return seen, nil
}
