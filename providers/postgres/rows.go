package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// What a query may return: enough for every decision, too little to fill a
// run's record.
const (
	maxRows  = 10_000
	maxBytes = 4 << 20
)

// collect reads all rows as objects by column name. They are a list where all
// have one type, else a tuple.
func collect(rows pgx.Rows) (cty.Value, []string, error) {
	defer rows.Close()
	fields := rows.FieldDescriptions()
	columns := make([]string, len(fields))
	width := 0
	for i, field := range fields {
		if slices.Contains(columns[:i], field.Name) {
			return cty.NilVal, nil, duplicateColumn(field.Name)
		}
		columns[i] = field.Name
		width += len(field.Name) + 8
	}
	var found []cty.Value
	size := 0
	for rows.Next() {
		if len(found) == maxRows {
			return cty.NilVal, nil, tooLarge("rows")
		}
		decoded, err := rows.Values()
		if err != nil {
			return cty.NilVal, nil, err
		}
		row := make(map[string]cty.Value, len(fields))
		size += width
		for i, raw := range rows.RawValues() {
			size += len(raw)
			if row[columns[i]], err = cell(fields[i], decoded[i], raw); err != nil {
				return cty.NilVal, nil, sdk.Fail("unsupported_type", "column %s: %v", columns[i], err)
			}
		}
		if size > maxBytes {
			return cty.NilVal, nil, tooLarge("bytes")
		}
		found = append(found, cty.ObjectVal(row))
	}
	if err := rows.Err(); err != nil {
		return cty.NilVal, nil, err
	}
	return list(found), columns, nil
}

func list(values []cty.Value) cty.Value {
	if len(values) == 0 {
		return cty.EmptyTupleVal
	}
	t := values[0].Type()
	for _, v := range values {
		if t.HasDynamicTypes() || !v.Type().Equals(t) {
			return cty.TupleVal(values)
		}
	}
	return cty.ListVal(values)
}

func duplicateColumn(name string) *schema.Failure {
	return &schema.Failure{
		Code:    "duplicate_column",
		Message: "two columns of the result are named " + name,
		Remedy:  "name one of them differently with AS",
	}
}

func tooLarge(unit string) *schema.Failure {
	f := sdk.Fail("too_many_rows", "the query returns more than %d rows", maxRows)
	if unit == "bytes" {
		f = sdk.Fail("result_too_large", "the query returns more than %d MiB", maxBytes>>20)
	}
	f.Remedy = "let the database count or aggregate, or add LIMIT"
	return f
}
