package schema

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var compareCty = cmp.Options{cmp.Comparer(cty.Value.RawEquals), cmp.Comparer(cty.Type.Equals)}

type inner struct {
	Key   string `runbook:"key,sensitive" doc:"A key."`
	Count int    `runbook:"count" doc:"A count." default:"3"`
}

type embedded struct {
	From string `runbook:"from" doc:"Embedded."`
}

type mode string

type everything struct {
	embedded
	Text    string            `runbook:"text" doc:"Text."`
	Mode    mode              `runbook:"mode" doc:"A mode." default:"a \"b\" ${c}"`
	Flag    bool              `runbook:"flag" doc:"A flag." default:"true"`
	Small   int               `runbook:"small,optional" doc:"An int."`
	Large   int64             `runbook:"large,optional" doc:"An int64."`
	Ratio   float64           `runbook:"ratio" doc:"A ratio." default:"0.5"`
	Wait    time.Duration     `runbook:"wait" doc:"A pause." default:"90s"`
	At      time.Time         `runbook:"at,optional" doc:"A time."`
	Secret  string            `runbook:"secret,optional,sensitive" doc:"A secret."`
	Codes   []int             `runbook:"codes" doc:"Codes." default:"[0]"`
	Labels  map[string]string `runbook:"labels,optional" doc:"Labels."`
	Inner   inner             `runbook:"inner,optional" doc:"One."`
	Inners  []inner           `runbook:"inners,optional" doc:"Several."`
	Maybe   *bool             `runbook:"maybe" doc:"Perhaps."`
	Any     cty.Value         `runbook:"any,optional" doc:"Anything."`
	Anys    []cty.Value       `runbook:"anys,optional" doc:"Anything, often."`
	private int
}

func arguments(t *testing.T, of any) *Struct {
	t.Helper()
	s, err := Arguments(reflect.TypeOf(of))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestObject(t *testing.T) {
	innerType := cty.ObjectWithOptionalAttrs(map[string]cty.Type{"key": cty.String, "count": cty.Number}, []string{"count"})
	nested := []Attribute{
		{Name: "key", Type: cty.String, Doc: "A key.", Required: true, Sensitive: true},
		{Name: "count", Type: cty.Number, Doc: "A count.", Default: "3"},
	}
	want := Object{Attributes: []Attribute{
		{Name: "from", Type: cty.String, Doc: "Embedded.", Required: true},
		{Name: "text", Type: cty.String, Doc: "Text.", Required: true},
		{Name: "mode", Type: cty.String, Doc: "A mode.", Default: `"a \"b\" $${c}"`},
		{Name: "flag", Type: cty.Bool, Doc: "A flag.", Default: "true"},
		{Name: "small", Type: cty.Number, Doc: "An int."},
		{Name: "large", Type: cty.Number, Doc: "An int64."},
		{Name: "ratio", Type: cty.Number, Doc: "A ratio.", Default: "0.5"},
		{Name: "wait", Type: cty.String, Doc: "A pause.", Default: `"90s"`},
		{Name: "at", Type: cty.String, Doc: "A time."},
		{Name: "secret", Type: cty.String, Doc: "A secret.", Sensitive: true},
		{Name: "codes", Type: cty.List(cty.Number), Doc: "Codes.", Default: "[0]"},
		{Name: "labels", Type: cty.Map(cty.String), Doc: "Labels."},
		{Name: "inner", Type: innerType, Doc: "One.", Nested: nested},
		{Name: "inners", Type: cty.List(innerType), Doc: "Several.", Nested: nested},
		{Name: "maybe", Type: cty.Bool, Doc: "Perhaps."},
		{Name: "any", Type: cty.DynamicPseudoType, Doc: "Anything."},
		{Name: "anys", Type: cty.DynamicPseudoType, Doc: "Anything, often."},
	}}
	got := arguments(t, everything{}).Object()
	if diff := cmp.Diff(want, got, compareCty); diff != "" {
		t.Error(diff)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again Object
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again, compareCty); diff != "" {
		t.Error("as JSON:", diff)
	}
}

// From HCL, through the Spec, into the struct: the whole way of an argument.
func TestSpecAndDecode(t *testing.T) {
	const text = `
from   = "f"
text   = "t"
large  = 9007199254740993
wait   = "10m"
at     = "2026-01-31T13:00:00+01:00"
labels = { a = 1 }
inners = [{ key = "k" }, { key = "l", count = 4 }]
any    = { x = [1, "a"] }
anys   = [1, "a", null]
`
	s := arguments(t, everything{})
	file, diags := hclsyntax.ParseConfig([]byte(text), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	v, diags := hcldec.Decode(file.Body, Spec(s.Object()), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got everything
	if err := s.Decode(v, &got); err != nil {
		t.Fatal(err)
	}
	want := everything{
		embedded: embedded{From: "f"}, Text: "t", Mode: `a "b" ${c}`, Flag: true, Large: 9007199254740993, Ratio: 0.5,
		Wait: 10 * time.Minute, At: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Codes: []int{0},
		Labels: map[string]string{"a": "1"}, Inners: []inner{{"k", 3}, {"l", 4}},
		Any:  cty.ObjectVal(map[string]cty.Value{"x": cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.StringVal("a")})}),
		Anys: []cty.Value{cty.NumberIntVal(1), cty.StringVal("a"), cty.NullVal(cty.DynamicPseudoType)},
	}
	if diff := cmp.Diff(want, got, compareCty, cmp.AllowUnexported(everything{}, embedded{})); diff != "" {
		t.Error(diff)
	}
	back, err := s.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	var again everything
	if err := s.Decode(back, &again); err != nil {
		t.Fatal(err)
	}
	again.Inner.Count = 0 // encoded as the zero it was, and decoded as such
	if diff := cmp.Diff(got, again, compareCty, cmp.AllowUnexported(everything{}, embedded{}),
		cmp.Transformer("empty", func(m map[string]string) int { return len(m) })); diff != "" {
		t.Error("back and forth:", diff)
	}
}

func TestDecodeErrors(t *testing.T) {
	s := arguments(t, everything{})
	for name, c := range map[string]struct {
		set  map[string]cty.Value
		want Failure
	}{
		"missing":   {map[string]cty.Value{"text": cty.NullVal(cty.String)}, Failure{Message: `"text" is required`, Argument: "text"}},
		"fraction":  {map[string]cty.Value{"small": cty.NumberFloatVal(1.5)}, Failure{Message: `"small" must be a whole number`, Argument: "small"}},
		"duration":  {map[string]cty.Value{"wait": cty.StringVal("soon")}, Failure{Message: `"wait" must be a duration such as "90s" or "10m"`, Argument: "wait"}},
		"time":      {map[string]cty.Value{"at": cty.StringVal("noon")}, Failure{Message: `"at" must be a time such as "2026-01-31T12:00:00Z"`, Argument: "at"}},
		"nested":    {map[string]cty.Value{"inners": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal("k"), "count": cty.NumberFloatVal(0.5)})})}, Failure{Message: `"inners[0].count" must be a whole number`, Argument: "inners[0].count"}},
		"null item": {map[string]cty.Value{"codes": cty.ListVal([]cty.Value{cty.NullVal(cty.Number)})}, Failure{Message: `"codes[0]" must not be null`, Argument: "codes[0]"}},
		"extra":     {map[string]cty.Value{"tetx": cty.StringVal("x")}, Failure{Message: `"tetx" is not an argument that is known here`, Argument: "tetx"}},
		"type":      {map[string]cty.Value{"secret": cty.EmptyTupleVal}, Failure{Message: `"secret" has the wrong type: string required, but have tuple`, Argument: "secret"}},
		"unknown":   {map[string]cty.Value{"text": cty.UnknownVal(cty.String)}, Failure{Message: `"text" must be known and unmarked`, Argument: "text"}},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]cty.Value{"from": cty.StringVal("f"), "text": cty.StringVal("t")}
			for k, v := range c.set {
				values[k] = v
			}
			c.want.Code = "invalid_argument"
			var got *Failure
			if err := s.Decode(cty.ObjectVal(values), &everything{}); !errors.As(err, &got) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeUnknownLeavesZero(t *testing.T) {
	s := arguments(t, everything{})
	var got everything
	if err := s.Decode(cty.EmptyObjectVal, &got, "from", "text", "mode", "any"); err != nil {
		t.Fatal(err)
	}
	if got.private != 0 || got.Mode != "" || got.Text != "" || !got.Any.IsNull() {
		t.Errorf("%+v", got)
	}
}

func TestResultsEncode(t *testing.T) {
	type result struct {
		Took  time.Duration          `runbook:"took" doc:"Seconds."`
		At    time.Time              `runbook:"at" doc:"A time."`
		None  *time.Time             `runbook:"none" doc:"No time."`
		Names []string               `runbook:"names" doc:"Names."`
		Rows  []map[string]cty.Value `runbook:"rows" doc:"Rows."`
		Mixed []cty.Value            `runbook:"mixed" doc:"Mixed."`
		Bad   string                 `runbook:"bad" doc:"Not UTF-8."`
	}
	s, err := Results(reflect.TypeFor[result]())
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]cty.Value{"n": cty.NumberIntVal(1)}
	got, err := s.Encode(result{
		Took: 1500 * time.Millisecond, At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600)),
		Rows: []map[string]cty.Value{row, row}, Mixed: []cty.Value{cty.True, cty.StringVal("x")}, Bad: "a\xff",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := cty.ObjectVal(map[string]cty.Value{
		"took": cty.NumberFloatVal(1.5), "at": cty.StringVal("2026-01-02T02:04:05.000006Z"), "none": cty.NullVal(cty.String),
		"names": cty.ListValEmpty(cty.String), "rows": cty.ListVal([]cty.Value{cty.ObjectVal(row), cty.ObjectVal(row)}),
		"mixed": cty.TupleVal([]cty.Value{cty.True, cty.StringVal("x")}), "bad": cty.StringVal("a\uFFFD"),
	})
	if diff := cmp.Diff(want, got, compareCty); diff != "" {
		t.Error(diff)
	}
}

func TestWrongTags(t *testing.T) {
	type loop struct {
		Next *struct {
			Again []loopItem `runbook:"again" doc:"x"`
		} `runbook:"next" doc:"x"`
	}
	for want, of := range map[string]any{
		"schema.noTag.A has no runbook tag":                                                    noTag{},
		"schema.noDoc.A has no doc tag":                                                        noDoc{},
		`schema.badName.A has the name "Bad", which is not lower_snake_case`:                   badName{},
		`schema.badOption.A has the unknown tag option "secret"`:                               badOption{},
		"schema.badType.A has the type chan int, which is not supported":                       badType{},
		"schema.badKey.A has the type map[int]string; map keys must be strings":                badKey{},
		`schema.badDefault.A has the default "ten": must be a duration such as "90s" or "10m"`: badDefault{},
		`schema.twice has two fields named "a"`:                                                twice{},
		"int is not a struct":                                                                  1,
	} {
		if _, err := Arguments(reflect.TypeOf(of)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Arguments(reflect.TypeFor[loop]()); err == nil {
		t.Error("a type that contains itself is accepted")
	}
}

type (
	noTag struct{ A string }
	noDoc struct {
		A string `runbook:"a"`
	}
	badName struct {
		A string `runbook:"Bad" doc:"x"`
	}
	badOption struct {
		A string `runbook:"a,secret" doc:"x"`
	}
	badType struct {
		A chan int `runbook:"a" doc:"x"`
	}
	badKey struct {
		A map[int]string `runbook:"a" doc:"x"`
	}
	badDefault struct {
		A time.Duration `runbook:"a" doc:"x" default:"ten"`
	}
	twice struct {
		A string `runbook:"a" doc:"x"`
		B string `runbook:"a" doc:"x"`
	}
	loopItem struct {
		Items []loopItem `runbook:"items" doc:"x"`
	}
)

// Of a value of any type, a provider may point out what must not be shown; no
// other mark goes anywhere.
func TestEncodeMarks(t *testing.T) {
	type result struct {
		Value cty.Value `runbook:"value" doc:"x"`
	}
	s, err := Results(reflect.TypeFor[result]())
	if err != nil {
		t.Fatal(err)
	}
	secret := cty.ObjectVal(map[string]cty.Value{"token": cty.StringVal("hunter2").Mark(Sensitive)})
	v, err := s.Encode(result{secret})
	if err != nil || !v.GetAttr("value").GetAttr("token").HasMark(Sensitive) {
		t.Errorf("got %#v, %v", v, err)
	}
	for _, bad := range []cty.Value{cty.UnknownVal(cty.String), cty.True.Mark("else")} {
		if v, err := s.Encode(result{bad}); err == nil {
			t.Errorf("%#v became %#v", bad, v)
		}
	}
}
