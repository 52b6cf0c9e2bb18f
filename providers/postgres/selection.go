package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// How much of the rows a preview shows.
const (
	sampleRows   = 5
	sampleLength = 200
)

// selection is the rows that delete and update change.
type selection struct {
	Table      string    `runbook:"table" doc:"Table, such as bars or market.bars."`
	Where      string    `runbook:"where" doc:"Condition that the rows meet, such as time > $1; true for all of them, which needs a bound: a limit on rows, or max in expect_rows."`
	Params     cty.Value `runbook:"params,optional" doc:"Values for $1, $2 … in where."`
	BackupTo   string    `runbook:"backup_to,optional" doc:"Table that keeps the rows as they were, written in the same transaction; created where it is missing, refused where it already holds rows."`
	ExpectRows *bounds   `runbook:"expect_rows" doc:"How many rows must be hit for the change to be committed: min, max or both."`
}

// rows is a selection that was checked.
type rows struct {
	table  table
	backup table // nil: none
	where  string
	params []any
}

func (s selection) rows() (rows, *schema.Failure) {
	from, f := parseTable("table", s.Table)
	if f != nil {
		return rows{}, f
	}
	params, f := arguments("params", s.Params)
	if f != nil {
		return rows{}, f
	}
	r := rows{table: from, where: s.Where, params: params}
	switch {
	case len(tokens(s.Where)) == 0:
		return rows{}, sdk.InvalidArgument("where", "where is empty; to mean every row, write true")
	case parameters(s.Where) != len(params):
		return rows{}, wrongParams("where", parameters(s.Where), len(params))
	}
	if s.BackupTo != "" {
		if r.backup, f = parseTable("backup_to", s.BackupTo); f != nil {
			return rows{}, f
		}
	}
	return r, s.ExpectRows.validate()
}

// bound refuses to change every row where nothing says how many these may be.
func (s selection) bound(call *sdk.Call) *schema.Failure {
	_, limited := call.Limit("rows")
	if limited || s.filters() || s.ExpectRows != nil && s.ExpectRows.Max != nil {
		return nil
	}
	return &schema.Failure{
		Code: "unbounded", Argument: "where",
		Message: fmt.Sprintf("the condition %s is met by every row of %s, and nothing bounds how many that may be", s.Where, s.Table),
		Remedy:  "narrow the condition, or give the step a limit such as { rows = 1000 }, or expect_rows a max",
	}
}

// filters tells whether the condition may leave rows out.
func (s selection) filters() bool { return filters(tokens(s.Where)) }

// effects is what the change touches, as far as it is known.
func (p *provider) effects(s selection, call *sdk.Call, mode schema.Mode) []schema.Effect {
	changed := schema.Effect{Resource: p.resource(nil), Mode: mode}
	if from, f := parseTable("table", s.Table); f == nil && !call.Unknown("table") {
		changed.Resource = p.resource(from)
	}
	effects := []schema.Effect{changed}
	if call.Unknown("backup_to") {
		return append(effects, schema.Effect{Resource: p.resource(nil), Mode: schema.Write})
	}
	if backup, f := parseTable("backup_to", s.BackupTo); f == nil {
		effects = append(effects, schema.Effect{Resource: p.resource(backup), Mode: schema.Write})
	}
	return effects
}

// unknown tells whether any of the selection's arguments is not known yet.
func (s selection) unknown(call *sdk.Call) bool {
	for _, name := range []string{"table", "where", "params", "backup_to", "expect_rows"} {
		if call.Unknown(name) {
			return true
		}
	}
	return false
}

// look counts the rows, shows some, and names what a change of them reaches.
func (p *provider) look(ctx context.Context, s selection, mode schema.Mode, verb string, call *sdk.Call) (sdk.PreviewResult, error) {
	r, f := s.rows()
	if f == nil {
		f = s.bound(call)
	}
	if f != nil {
		return sdk.PreviewResult{}, f
	}
	if f := looksOnly("where", s.Where); f != nil {
		return sdk.PreviewResult{}, f
	}
	var seen sdk.PreviewResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		from, err := resolve(ctx, tx, r.table)
		if err != nil {
			return err
		}
		seen.Effects = []schema.Effect{{Resource: p.resource(from), Mode: mode}}
		if r.backup != nil {
			if err := checkBackup(ctx, tx, r); err != nil {
				return err
			}
			seen.Effects = append(seen.Effects, schema.Effect{Resource: p.resource(r.backup), Mode: schema.Write})
		}
		var count int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+r.table.sql()+condition(r.where), r.params...).Scan(&count); err != nil {
			return err
		}
		found, err := tx.Query(ctx, fmt.Sprintf("SELECT left((%s.*)::text, %d) FROM %s%s LIMIT %d",
			r.table.name(), sampleLength, r.table.sql(), condition(r.where), sampleRows), r.params...)
		if err != nil {
			return err
		}
		if seen.Sample, err = pgx.CollectRows(found, pgx.RowTo[string]); err != nil {
			return err
		}
		seen.Impact = schema.Impact{"rows": count}
		seen.Summary = fmt.Sprintf("%s %s of %s", verb, phrase.Count(count, "row", "rows"), from)
		if count == 0 && slices.Contains(tokens(r.where), "like") {
			seen.Summary += "; LIKE tells upper from lower case, ILIKE does not"
		}
		if mode != schema.Delete {
			return nil
		}
		return p.cascades(ctx, tx, from, &seen)
	})
	return seen, err
}

// resolve finds the schema that an unqualified name stands for.
func resolve(ctx context.Context, tx pgx.Tx, name table) (table, error) {
	found := make(table, 2)
	err := tx.QueryRow(ctx, `SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::text::regclass`, name.sql()).Scan(&found[0], &found[1])
	return found, err
}

// cascades adds the tables that foreign keys drag along: their rows are not in
// the count, so they are named.
func (p *provider) cascades(ctx context.Context, tx pgx.Tx, from table, seen *sdk.PreviewResult) error {
	found, err := tx.Query(ctx, `WITH RECURSIVE hit (oid, action) AS (
 SELECT $1::text::regclass::oid, 'c'::"char"
 UNION
 SELECT k.conrelid, k.confdeltype FROM hit JOIN pg_constraint k ON k.confrelid = hit.oid
 WHERE hit.action = 'c' AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd'))
SELECT DISTINCT n.nspname::text, c.relname::text, hit.action = 'c'
FROM hit JOIN pg_class c ON c.oid = hit.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE hit.oid <> $1::text::regclass ORDER BY 1, 2, 3 DESC`, from.sql())
	if err != nil {
		return err
	}
	other := make(table, 2)
	var deletes bool
	var names []string
	_, err = pgx.ForEachRow(found, []any{&other[0], &other[1], &deletes}, func() error {
		effect, what := schema.Effect{Resource: p.resource(other), Mode: schema.Write}, " (keys cleared)"
		if deletes {
			effect.Mode, what = schema.Delete, " (deleted)"
		}
		seen.Effects = append(seen.Effects, effect)
		names = append(names, other.String()+what)
		return nil
	})
	if len(names) > 0 {
		seen.Summary += "; foreign keys take along rows of " + strings.Join(names, ", ") + ", which are not counted"
	}
	return err
}
