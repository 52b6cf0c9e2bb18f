package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const tableSizesDoc = `The largest tables of the database with their size on disk, and the database's own. It is ok when there is at least one table.
Row counts are the planner's estimates and the statistics', never exact.`

type tableSizesArgs struct {
	Schema string `runbook:"schema,optional" doc:"Only tables of this schema; without one all but the system's."`
	Limit  int64  `runbook:"limit" doc:"How many tables to list." default:"20"`
}

type tableSize struct {
	Schema        string `runbook:"schema" doc:"The table's schema."`
	Table         string `runbook:"table" doc:"The table's name."`
	TotalBytes    int64  `runbook:"total_bytes" doc:"Table, indexes and TOAST."`
	TableBytes    int64  `runbook:"table_bytes" doc:"The table alone, with TOAST."`
	IndexBytes    int64  `runbook:"index_bytes" doc:"Its indexes."`
	RowsEstimate  int64  `runbook:"rows_estimate" doc:"Rows as of the last ANALYZE; -1 before the first one."`
	DeadRows      int64  `runbook:"dead_rows" doc:"Row versions that VACUUM would free, as the statistics count them."`
	PartitionedOf string `runbook:"partition_of" doc:"The partitioned table it belongs to; empty for others."`
}

type tableSizesResult struct {
	sdk.Result
	Tables        []tableSize `runbook:"tables" doc:"The largest tables, largest first."`
	TableCount    int64       `runbook:"table_count" doc:"How many tables there are in all."`
	DatabaseBytes int64       `runbook:"database_bytes" doc:"Size of the whole database."`
}

const tableSizesSQL = `SELECT n.nspname::text, c.relname::text, pg_total_relation_size(c.oid), pg_table_size(c.oid), pg_indexes_size(c.oid),
c.reltuples::int8, coalesce(s.n_dead_tup, 0), coalesce((SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid LIMIT 1), ''),
count(*) OVER ()
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm') AND CASE WHEN $1 = '' THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ELSE n.nspname = $1 END
ORDER BY 3 DESC, 1, 2 LIMIT $2`

func (p *provider) tableSizes(ctx context.Context, args tableSizesArgs, _ *sdk.Call) (tableSizesResult, error) {
	if args.Limit < 1 || args.Limit > 1000 {
		return tableSizesResult{}, sdk.InvalidArgument("limit", "limit must be between 1 and 1000, got %d", args.Limit)
	}
	var result tableSizesResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&result.DatabaseBytes); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, tableSizesSQL, args.Schema, args.Limit)
		if err != nil {
			return err
		}
		var t tableSize
		_, err = pgx.ForEachRow(rows, []any{
			&t.Schema, &t.Table, &t.TotalBytes, &t.TableBytes, &t.IndexBytes, &t.RowsEstimate, &t.DeadRows, &t.PartitionedOf, &result.TableCount,
		}, func() error {
			result.Tables = append(result.Tables, t)
			return nil
		})
		return err
	})
	if err != nil {
		return tableSizesResult{}, err
	}
	if len(result.Tables) == 0 {
		result.Result = sdk.NotOK("there is no table%s", within(args.Schema))
		return result, nil
	}
	largest := result.Tables[0]
	result.Result = sdk.OK("%s in %s, the largest is %s.%s with %s",
		phrase.Size(result.DatabaseBytes), phrase.Count(result.TableCount, "table", "tables"), largest.Schema, largest.Table, phrase.Size(largest.TotalBytes))
	return result, nil
}

func within(schema string) string {
	if schema == "" {
		return ""
	}
	return " in schema " + schema
}
