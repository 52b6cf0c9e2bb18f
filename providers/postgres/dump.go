package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const dumpDoc = `Dumps the database, or some tables of it, by pg_dump in its custom format. The dump is there wholly or not at all: it is written beside its path, listed by
pg_restore, hashed, and only then given its name, with its SHA-256 beside it in PATH.sha256, as sha256sum -c reads it. A file that is there already is never written over.
The preview is the size of what is dumped, which the dump is mostly smaller than. The step's key stands in PATH.sha256 too: should the step be done again, it verifies the
dump that it made.`

type dumpArgs struct {
	Path          string   `runbook:"path" doc:"File to write, such as backups/market.dump; a relative one starts from the runbook's folder, which it may lie in a folder of."`
	Tables        []string `runbook:"tables,optional" doc:"Only these tables, such as bars or market.*, as pg_dump -t reads them; without it all of the database."`
	ExcludeTables []string `runbook:"exclude_tables,optional" doc:"All but these tables, likewise."`
	SchemaOnly    bool     `runbook:"schema_only" doc:"Only what the tables are, not their rows." default:"false"`
	Compress      *int64   `runbook:"compress" doc:"Compression from 0 (none) to 9; without it pg_dump's own."`
}

type dumpResult struct {
	sdk.Result
	Path            string  `runbook:"path" doc:"The file."`
	Bytes           int64   `runbook:"bytes" doc:"Its size."`
	SHA256          string  `runbook:"sha256" doc:"Its SHA-256, in hex, which is in PATH.sha256 too."`
	Tables          int64   `runbook:"tables" doc:"Tables whose rows it holds."`
	Entries         int64   `runbook:"entries" doc:"All that pg_restore lists of it."`
	Repeated        bool    `runbook:"repeated" doc:"Whether an earlier attempt with the same key had made it already."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long it took."`
}

func (args dumpArgs) validate() *schema.Failure {
	switch {
	case args.Path == "" || strings.HasSuffix(args.Path, "/"):
		return sdk.InvalidArgument("path", "path must name a file")
	case args.Compress != nil && (*args.Compress < 0 || *args.Compress > 9):
		return sdk.InvalidArgument("compress", "compress must be from 0 to 9, got %d", *args.Compress)
	}
	for argument, list := range map[string][]string{"tables": args.Tables, "exclude_tables": args.ExcludeTables} {
		for _, name := range list {
			if name == "" || strings.HasPrefix(name, "-") {
				return sdk.InvalidArgument(argument, "%q is no table", name)
			}
		}
	}
	return nil
}

// options are pg_dump's, but for where to.
func (args dumpArgs) options(database string) []string {
	argv := []string{"--format=custom"}
	for _, name := range args.Tables {
		argv = append(argv, "--table="+name)
	}
	for _, name := range args.ExcludeTables {
		argv = append(argv, "--exclude-table="+name)
	}
	if args.SchemaOnly {
		argv = append(argv, "--schema-only")
	}
	if args.Compress != nil {
		argv = append(argv, fmt.Sprintf("--compress=%d", *args.Compress))
	}
	return append(argv, "--dbname="+connectionName(database))
}

// connectionName keeps a database's name from being taken for a connection
// string.
func connectionName(database string) string {
	return "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(database) + "'"
}

// there tells whether the dump's place is taken, and whether by this key's dump.
func (args dumpArgs) there(path, key string) (ours bool, f *schema.Failure) {
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return false, folderFailure("path", filepath.Dir(path), fs.ErrNotExist)
		}
		return false, nil
	case err != nil:
		return false, folderFailure("path", path, err)
	}
	if key != "" && readSum(path).key == key {
		return true, nil
	}
	f = sdk.InvalidArgument("path", "there is a file %s already, and it is not written over", path)
	f.Code = "file_exists"
	f.Remedy = "give a name with the run's ID or the date in it"
	return false, f
}

func (p *provider) dump(ctx context.Context, args dumpArgs, call *sdk.Call) (dumpResult, error) {
	if f := args.validate(); f != nil {
		return dumpResult{}, sdk.Clean(f)
	}
	dump, f := p.tool("pg_dump")
	restore, g := p.tool("pg_restore")
	if f == nil {
		f = g
	}
	path := p.path(args.Path)
	var ours bool
	if f == nil {
		ours, f = args.there(path, call.Key())
	}
	if f != nil {
		return dumpResult{}, sdk.Clean(f)
	}
	began := time.Now()
	if !ours {
		if err := p.write(ctx, args, call, dump, restore, path); err != nil {
			return dumpResult{}, sdk.Clean(err)
		}
	}
	a, err := p.inspect(ctx, call, restore, path, true)
	switch {
	case err != nil:
		return dumpResult{}, err
	case !a.Verified:
		return dumpResult{}, unverified(a)
	}
	result := dumpResult{
		Path: path, Bytes: a.Bytes, SHA256: a.SHA256, Tables: a.Tables, Entries: a.Entries,
		Repeated: ours, DurationSeconds: time.Since(began).Seconds(),
	}
	what := fmt.Sprintf("dumped %s of %s: %s", phrase.Count(a.Tables, "table", "tables"), p.config.Database, phrase.Size(a.Bytes))
	if ours {
		what += ", done before"
	}
	result.Result = sdk.OK("%s", what)
	return result, nil
}

func unverified(a archive) *schema.Failure {
	f := sdk.Fail("not_verified", "the dump %s does not verify: %s", a.Path, a.Problem)
	f.Remedy = "look at the disk, then dump again under another name"
	return f
}

// write makes the dump beside its place and gives it its name when it is whole.
// Whatever it errs with, its place is as it was.
func (p *provider) write(ctx context.Context, args dumpArgs, call *sdk.Call, dump, restore tool, path string) error {
	conn, err := p.connect(ctx, purpose{grace: actionCancelGrace})
	if err != nil {
		return err // typed better than pg_dump says it
	}
	defer disconnect(ctx, conn)
	partial := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".partial")
	defer func() { _ = os.Remove(partial) }() // gone already when all went well
	application := p.applicationName(call.Key())
	argv, env := p.connection(application)
	argv = append(append(argv, args.options(p.config.Database)...), "--file="+partial)
	if _, err := dump.run(ctx, call, append(env, sessionOptions(conn)), argv...); err != nil {
		endSessions(ctx, conn, application)
		return p.ended(ctx, err)
	}
	a, err := p.inspect(ctx, call, restore, partial, false)
	if err != nil {
		return p.ended(ctx, err)
	}
	if !a.Verified {
		return unverified(a)
	}
	hash, err := hashFile(ctx, partial)
	if err == nil {
		err = synced(partial)
	}
	if err == nil {
		err = (sum{hash, call.Key()}).write(path+sumSuffix, path)
	}
	if err == nil {
		err = os.Link(partial, path) // which, unlike a renaming, writes over nothing
	}
	if err != nil {
		return p.ended(ctx, fmt.Errorf("write %s: %w", path, err))
	}
	return nil
}

func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (p *provider) describeDump(args dumpArgs, call *sdk.Call) sdk.Description {
	reads := schema.Effect{Resource: p.resource(nil), Mode: schema.Read}
	if call.Unknown("path") {
		return sdk.Description{Effects: []schema.Effect{reads, {Resource: fileResource("/"), Mode: schema.Write}}, Summary: "dumps the database " + p.config.Database}
	}
	d := sdk.Description{
		Effects: []schema.Effect{reads, {Resource: fileResource(p.path(args.Path)), Mode: schema.Write}},
		Summary: fmt.Sprintf("dumps the database %s to %s", p.config.Database, args.Path),
	}
	for _, name := range []string{"tables", "exclude_tables", "schema_only", "compress"} {
		if call.Unknown(name) {
			return d
		}
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	argv, _ := p.connection("")
	d.Command = append(append(append([]string{"pg_dump"}, argv...), args.options(p.config.Database)...), "--file="+args.Path)
	return d
}

// sizeOf is the size of what is dumped: of the tables that are named as they are,
// or of the database.
const tablesSize = `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8, count(*)::int8 FROM pg_class c
WHERE c.relkind IN ('r', 'm', 'p') AND c.oid = ANY (SELECT to_regclass(t)::oid FROM unnest($1::text[]) AS t)`

func (p *provider) previewDump(ctx context.Context, args dumpArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	path := p.path(args.Path)
	if _, f := args.there(path, call.Key()); f != nil {
		return sdk.PreviewResult{}, f
	}
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if _, f := p.tool(name); f != nil {
			return sdk.PreviewResult{}, f
		}
	}
	var bytes int64
	err := p.read(ctx, func(tx pgx.Tx) error {
		if len(args.Tables) == 0 {
			return tx.QueryRow(ctx, totalSize("", nil)).Scan(&bytes)
		}
		var found int64
		return tx.QueryRow(ctx, tablesSize, args.Tables).Scan(&bytes, &found)
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact:  schema.Impact{"estimated_bytes": bytes},
		Summary: fmt.Sprintf("dumps about %s of %s to %s", phrase.Size(bytes), p.config.Database, args.Path),
	}, nil
}
