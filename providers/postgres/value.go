package postgres

import (
	"encoding/hex"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/zclconf/go-cty/cty"
)

// columnType is the type that NULL has in a column: what a value there would
// have. Columns of no fixed type are dynamic.
func columnType(oid uint32) cty.Type {
	switch oid {
	case pgtype.BoolOID:
		return cty.Bool
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID,
		pgtype.NumericOID, pgtype.IntervalOID:
		return cty.Number
	case pgtype.JSONOID, pgtype.JSONBOID:
		return cty.DynamicPseudoType
	}
	return cty.String
}

// cell is one column of the current row as a value: numbers exact, times RFC
// 3339 in UTC, intervals in seconds, JSON decoded, everything else text as psql
// would show it. A NaN or an infinity is text, so that no comparison with a
// number can hold by accident.
func cell(field pgconn.FieldDescription, decoded any, raw []byte) (cty.Value, error) {
	if raw == nil {
		return cty.NullVal(columnType(field.DataTypeOID)), nil
	}
	switch field.DataTypeOID {
	case pgtype.JSONOID:
		return jsonValue(raw)
	case pgtype.JSONBOID:
		if field.Format == pgx.BinaryFormatCode && len(raw) > 0 {
			raw = raw[1:] // the version of jsonb's binary format
		}
		return jsonValue(raw)
	}
	return value(field.DataTypeOID, decoded)
}

func value(oid uint32, decoded any) (cty.Value, error) {
	switch v := decoded.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType), nil
	case bool:
		return cty.BoolVal(v), nil
	case int16:
		return cty.NumberIntVal(int64(v)), nil
	case int32:
		return cty.NumberIntVal(int64(v)), nil
	case int64:
		return cty.NumberIntVal(v), nil
	case uint32:
		return cty.NumberUIntVal(uint64(v)), nil
	case float32:
		return parsedNumber(strconv.FormatFloat(float64(v), 'g', -1, 32))
	case float64:
		return parsedNumber(strconv.FormatFloat(v, 'g', -1, 64))
	case pgtype.Numeric:
		text, err := v.MarshalJSON()
		if err != nil {
			return cty.NilVal, err
		}
		return parsedNumber(strings.Trim(string(text), `"`)) // NaN and infinities are quoted
	case pgtype.Interval:
		return cty.NumberFloatVal(seconds(v)), nil
	case time.Time:
		return cty.StringVal(timeText(oid, v)), nil
	case pgtype.InfinityModifier:
		return cty.StringVal(v.String()), nil
	case pgtype.Time:
		return cty.StringVal(time.UnixMicro(v.Microseconds).UTC().Format("15:04:05.999999")), nil
	case string:
		return cty.StringVal(v), nil
	case []byte:
		return cty.StringVal(`\x` + hex.EncodeToString(v)), nil
	case [16]byte:
		return cty.StringVal(fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])), nil
	case netip.Prefix:
		if v.IsSingleIP() {
			return cty.StringVal(v.Addr().String()), nil
		}
		return cty.StringVal(v.String()), nil
	case net.HardwareAddr:
		return cty.StringVal(v.String()), nil
	case []any:
		return array(oid, v)
	case map[string]any:
		return object(v)
	case fmt.Stringer:
		return cty.StringVal(v.String()), nil
	}
	return cty.NilVal, fmt.Errorf("a column has a type that cannot be shown; cast it to text in the statement")
}

func array(oid uint32, elements []any) (cty.Value, error) {
	values := make([]cty.Value, 0, len(elements))
	for _, element := range elements {
		one, err := value(elementType(oid), element)
		if err != nil {
			return cty.NilVal, err
		}
		values = append(values, one)
	}
	return cty.TupleVal(values), nil
}

// object is a decoded JSON object inside an array.
func object(fields map[string]any) (cty.Value, error) {
	values := make(map[string]cty.Value, len(fields))
	for name, field := range fields {
		one, err := value(0, field)
		if err != nil {
			return cty.NilVal, err
		}
		values[name] = one
	}
	return cty.ObjectVal(values), nil
}

// elementType tells the arrays of times apart, whose elements look alike.
func elementType(oid uint32) uint32 {
	switch oid {
	case pgtype.DateArrayOID:
		return pgtype.DateOID
	case pgtype.TimestampArrayOID:
		return pgtype.TimestampOID
	}
	return pgtype.TimestamptzOID
}

// timeText is RFC 3339 in UTC; a date or a time without zone gets no zone that
// it does not have.
func timeText(oid uint32, t time.Time) string {
	switch oid {
	case pgtype.DateOID:
		return t.Format(time.DateOnly)
	case pgtype.TimestampOID:
		return t.Format("2006-01-02T15:04:05.999999999")
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// seconds is an interval's length, with PostgreSQL's own year of 365.25 and
// month of 30 days, as extract(epoch FROM …) counts.
func seconds(v pgtype.Interval) float64 {
	const day = 24 * 60 * 60
	years, months := v.Months/12, v.Months%12
	return float64(years)*365.25*day + float64(months)*30*day + float64(v.Days)*day + float64(v.Microseconds)/1e6
}

// parsedNumber keeps every digit; what is not finite stays text.
func parsedNumber(text string) (cty.Value, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return cty.StringVal(text), nil
	}
	number, err := cty.ParseNumberVal(text)
	if err != nil {
		return cty.StringVal(text), nil
	}
	return number, nil
}
