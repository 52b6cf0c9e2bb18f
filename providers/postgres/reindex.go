package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const reindexDoc = `Builds one index, the indexes of one table, or all of the database's anew: by default concurrently, beside the old ones, so that
readers and writers go on. One of them that is invalid afterwards makes it fail. Doing it again is harmless.`

type reindexArgs struct {
	Table        string `runbook:"table,optional" doc:"Table whose indexes are meant, such as bars or market.bars."`
	Index        string `runbook:"index,optional" doc:"One index; without table and index all of the database's."`
	Concurrently bool   `runbook:"concurrently" doc:"Without locking writers out; needs room for a second copy." default:"true"`
}

type reindexResult struct {
	sdk.Result
	BytesBefore     int64    `runbook:"bytes_before" doc:"Size of the indexes, or of the database, before."`
	BytesAfter      int64    `runbook:"bytes_after" doc:"The same afterwards."`
	InvalidIndexes  []string `runbook:"invalid_indexes" doc:"Those of them that are invalid now, such as an interrupted build leaves behind."`
	DurationSeconds float64  `runbook:"duration_seconds" doc:"How long the server worked."`
}

// reindexWork is what is to be done: the statement, what it is done to, how that
// is measured, and which of pg_index's rows it concerns.
type reindexWork struct {
	statement, size, what, indexes string
	of                             table
}

func (p *provider) reindexWork(args reindexArgs) (reindexWork, *schema.Failure) {
	how := ""
	if args.Concurrently {
		how = "CONCURRENTLY "
	}
	switch {
	case args.Table != "" && args.Index != "":
		return reindexWork{}, sdk.InvalidArgument("index", "give table or index, not both")
	case args.Table != "":
		of, f := parseTable("table", args.Table)
		return reindexWork{"REINDEX TABLE " + how + of.sql(), totalSize("pg_indexes_size", of), "the indexes of " + of.String(), of.tree("indrelid"), of}, f
	case args.Index != "":
		of, f := parseTable("index", args.Index)
		return reindexWork{"REINDEX INDEX " + how + of.sql(), totalSize("pg_relation_size", of), of.String(), of.tree("indexrelid"), of}, f
	}
	return reindexWork{"REINDEX DATABASE " + how + column(p.config.Database), totalSize("", nil), p.named(nil), "true", nil}, nil
}

// tree is the condition that an OID is that of t or of one of its partitions.
func (t table) tree(oid string) string {
	id := literal(t.sql()) + "::regclass"
	return fmt.Sprintf("(%[1]s = %[2]s OR %[1]s IN (SELECT relid FROM pg_partition_tree(%[2]s)))", oid, id)
}

func (p *provider) reindex(ctx context.Context, args reindexArgs, call *sdk.Call) (reindexResult, error) {
	work, f := p.reindexWork(args)
	if f != nil {
		return reindexResult{}, sdk.Clean(f)
	}
	done, conn, err := p.maintain(ctx, call, work.statement, work.size)
	if err != nil {
		return reindexResult{}, err
	}
	defer disconnect(ctx, conn)
	result := reindexResult{BytesBefore: done.before, BytesAfter: done.after, DurationSeconds: done.took.Seconds()}
	rows, err := conn.Query(ctx, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND "+work.indexes+" ORDER BY 1")
	if err == nil {
		result.InvalidIndexes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	switch {
	case err != nil:
		return reindexResult{}, p.failure(ctx, err)
	case len(result.InvalidIndexes) > 0:
		result.Result = sdk.NotOK("rebuilt %s, and there are still invalid indexes: %s; drop or rebuild them one by one", work.what, strings.Join(result.InvalidIndexes, ", "))
	case len(done.warnings) > 0:
		result.Result = sdk.NotOK("not everything was reindexed: %s", strings.Join(done.warnings, "; "))
	default:
		result.Result = sdk.OK("rebuilt %s in %s: %s before, %s after", work.what, phrase.Round(done.took), phrase.Size(done.before), phrase.Size(done.after))
	}
	return result, nil
}

func (p *provider) describeReindex(args reindexArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{{Resource: p.resource(nil), Mode: schema.Write}}, Summary: "rebuilds indexes"}
	if call.Unknown("table") || call.Unknown("index") || call.Unknown("concurrently") {
		return d
	}
	work, f := p.reindexWork(args)
	if d.Failure = f; f != nil {
		return d
	}
	if args.Table != "" {
		d.Effects[0].Resource = p.resource(work.of)
	}
	d.Summary = "rebuilds " + work.what
	if !args.Concurrently {
		d.Summary += ", keeping writers out"
	}
	d.Command = p.psql(work.statement)
	return d
}

func (p *provider) previewReindex(ctx context.Context, args reindexArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	work, f := p.reindexWork(args)
	if f != nil {
		return sdk.PreviewResult{}, f
	}
	var bytes int64
	err := p.read(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, work.size).Scan(&bytes) })
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact:  schema.Impact{"bytes": bytes},
		Summary: fmt.Sprintf("rebuilds %s (%s)", work.what, phrase.Size(bytes)),
	}, nil
}
