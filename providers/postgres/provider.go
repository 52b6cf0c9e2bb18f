// Package postgres looks into a PostgreSQL database and repairs it: readiness,
// read-only queries, freshness, sessions, replication, locks and sizes on the
// one side; statements, deletions and updates in one transaction, and
// maintenance on the other. It speaks the wire protocol itself (pgx) and opens
// one session for each call, so that every look is a look at the server as it
// is now. Dumps are made and restored by the tools that own their format, and
// never trusted before they verify.
package postgres

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is where the database is and who asks.
type Config struct {
	Host            string        `runbook:"host" doc:"Host name, address, or the folder of a unix socket."`
	Port            int           `runbook:"port" doc:"TCP port." default:"5432"`
	Database        string        `runbook:"database" doc:"Database name."`
	User            string        `runbook:"user" doc:"Role to log in as."`
	Password        string        `runbook:"password,optional,sensitive" doc:"The role's password; without one ~/.pgpass is looked up, as psql does."`
	SSLMode         string        `runbook:"sslmode" doc:"How far TLS is wanted: disable, allow, prefer, require, verify-ca or verify-full." default:"prefer"`
	SSLRootCert     string        `runbook:"sslrootcert,optional" doc:"File with the authorities that verify-ca and verify-full trust; without one the system's."`
	ConnectTimeout  time.Duration `runbook:"connect_timeout" doc:"Bound of one attempt to connect, for each address that the host has." default:"5s"`
	BinDir          string        `runbook:"bin_dir,optional" doc:"Folder of pg_dump and pg_restore, for dump, restore and archives; without one they are looked up in PATH. A relative one starts from the runbook's folder."`
	ApplicationName string        `runbook:"application_name" doc:"What the server's session list calls these sessions." default:"runbook"`
}

type provider struct {
	config Config
	base   string // the runbook's folder
}

// path is a path of an argument, made absolute.
func (p *provider) path(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.base, path)
}

// Provider returns a PostgreSQL provider that is not configured yet.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name:      "postgres",
		Version:   "0.1.0",
		Doc:       "Looks into a PostgreSQL database, changes it in transactions that are counted and bounded, and keeps it in order.",
		Configure: sdk.Configure(p.configure),
		Environ:   p.environ,
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("ready", readyDoc, p.ready, sdk.LookByHand(p.readyByHand)),
			sdk.NewProbe("query", queryDoc, p.query, sdk.LookByHand(p.queryByHand)),
			sdk.NewProbe("freshness", freshnessDoc, p.freshness, sdk.LookByHand(p.freshnessByHand)),
			sdk.NewProbe("connections", connectionsDoc, p.connections),
			sdk.NewProbe("replication_lag", replicationDoc, p.replicationLag),
			sdk.NewProbe("locks", locksDoc, p.locks),
			sdk.NewProbe("pending_restart", pendingRestartDoc, p.pendingRestart),
			sdk.NewProbe("table_sizes", tableSizesDoc, p.tableSizes),
			sdk.NewProbe("writers", writersDoc, p.writers),
			sdk.NewProbe("archives", archivesDoc, p.archives),
		},
		Actions: []sdk.Action{
			sdk.NewAction("execute", executeDoc, p.execute,
				sdk.Describe(p.describeExecute), sdk.Preview(p.previewExecute), sdk.Settle(p.settleExecute),
				sdk.Keyed, sdk.MayDestroy, sdk.Counts("rows", "estimated_rows"), sdk.Enforces("rows")),
			sdk.NewAction("delete", deleteDoc, p.delete,
				sdk.Describe(p.describeDelete), sdk.Preview(p.previewDelete), sdk.Settle(p.settleDelete),
				sdk.Keyed, sdk.MayDestroy, sdk.Counts("rows"), sdk.Enforces("rows")),
			sdk.NewAction("update", updateDoc, p.update,
				sdk.Describe(p.describeUpdate), sdk.Preview(p.previewUpdate), sdk.Settle(p.settleUpdate),
				sdk.Keyed, sdk.MayDestroy, sdk.Counts("rows"), sdk.Enforces("rows")),
			sdk.NewAction("terminate_idle", terminateDoc, p.terminateIdle,
				sdk.Describe(p.describeTerminate), sdk.Preview(p.previewTerminate),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("connections"), sdk.Enforces("connections")),
			sdk.NewAction("vacuum", vacuumDoc, p.vacuum,
				sdk.Describe(p.describeVacuum), sdk.Preview(p.previewVacuum), sdk.Idempotent, sdk.Counts("bytes")),
			sdk.NewAction("reindex", reindexDoc, p.reindex,
				sdk.Describe(p.describeReindex), sdk.Preview(p.previewReindex), sdk.Idempotent, sdk.Counts("bytes")),
			sdk.NewAction("alter_system", alterSystemDoc, p.alterSystem,
				sdk.Describe(p.describeAlterSystem), sdk.Preview(p.previewAlterSystem), sdk.Idempotent),
			sdk.NewAction("restore_rows", restoreRowsDoc, p.restoreRows,
				sdk.Describe(p.describeRestoreRows), sdk.Preview(p.previewRestoreRows), sdk.Settle(p.settleRestoreRows),
				sdk.Keyed, sdk.MayDestroy, sdk.Counts("rows"), sdk.Enforces("rows")),
			sdk.NewAction("dump", dumpDoc, p.dump,
				sdk.Describe(p.describeDump), sdk.Preview(p.previewDump), sdk.Idempotent, sdk.Counts("estimated_bytes")),
			sdk.NewAction("restore", restoreDoc, p.restore,
				sdk.Describe(p.describeRestore), sdk.Preview(p.previewRestore), sdk.Settle(p.settleRestore),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects")),
			sdk.NewAction("prune_dumps", pruneDoc, p.pruneDumps,
				sdk.Describe(p.describePrune), sdk.Preview(p.previewPrune),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("dumps", "bytes"), sdk.Enforces("dumps", "bytes")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	modes := []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	if f := reach.Check(c.Host, c.Port, c.ConnectTimeout); f != nil {
		return f
	}
	switch {
	case c.Database == "":
		return sdk.InvalidArgument("database", "database must not be empty")
	case !slices.Contains(modes, c.SSLMode):
		return sdk.InvalidArgument("sslmode", "sslmode must be one of %q, got %q", modes, c.SSLMode)
	}
	p.config, p.base = c, sdk.Path(ctx, ".")
	return nil
}
