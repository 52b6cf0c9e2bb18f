package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const queryDoc = `Evaluates PromQL at one instant. What is good is said by expect: nonempty, there are samples; threshold, all of them lie within min and max; empty, there is none.
Where there is no data at all the probe fails: an empty vector is no health. For that, empty needs present, a selector of what has to be there so that "none" means something.`

// The expectations.
const (
	nonempty  = "nonempty"
	empty     = "empty"
	threshold = "threshold"
)

// QueryArgs is what query takes.
type QueryArgs struct {
	Query   string     `runbook:"query" doc:"PromQL with an instant vector or a scalar for an answer."`
	Time    *time.Time `runbook:"time" doc:"When it is evaluated; without it now."`
	Expect  string     `runbook:"expect" default:"nonempty" doc:"nonempty, empty or threshold."`
	Min     *float64   `runbook:"min" doc:"With threshold: no sample is below it."`
	Max     *float64   `runbook:"max" doc:"With threshold: no sample is above it."`
	Present string     `runbook:"present,optional" doc:"PromQL whose answer must not be empty, such as the same selector without its comparison; needed by empty."`
}

// Sample is one element of an answer.
type Sample struct {
	Labels map[string]string `runbook:"labels" doc:"Its labels."`
	Value  *float64          `runbook:"value" doc:"Its value; null where that is no finite number."`
	Text   string            `runbook:"text" doc:"The value as Prometheus writes it, such as NaN or +Inf."`
}

// Queried is the answer of query.
type Queried struct {
	sdk.Result
	Count    int      `runbook:"count" doc:"How many samples there are."`
	Value    *float64 `runbook:"value" doc:"The value where there is one sample, or a scalar; else null."`
	Samples  []Sample `runbook:"samples" doc:"The samples, in the server's order; at most 1000 of them."`
	Outside  int      `runbook:"outside" doc:"With threshold: how many are not within it; what is no number is not."`
	Warnings []string `runbook:"warnings" doc:"What the server said to it."`
}

// mostSamples bounds what of an answer becomes a result.
const mostSamples = 1000

func (a QueryArgs) check() *schema.Failure {
	switch {
	case strings.TrimSpace(a.Query) == "":
		return sdk.InvalidArgument("query", "it is empty")
	case a.Expect != nonempty && a.Expect != empty && a.Expect != threshold:
		return sdk.InvalidArgument("expect", "%q is none of nonempty, empty and threshold", a.Expect)
	case a.Expect == threshold && a.Min == nil && a.Max == nil:
		return sdk.InvalidArgument("min", "a threshold needs min, max or both")
	case a.Expect != threshold && (a.Min != nil || a.Max != nil):
		return sdk.InvalidArgument("expect", "min and max are for expect = \"threshold\"")
	case a.Min != nil && a.Max != nil && *a.Min > *a.Max:
		return sdk.InvalidArgument("min", "min is above max: nothing lies within")
	case a.Expect == empty && a.Present == "":
		return sdk.InvalidArgument("present", "an empty answer also comes where nothing is scraped: say by present what has to be there, such as the selector without its comparison")
	}
	return nil
}

func (p *provider) query(ctx context.Context, args QueryArgs, _ *sdk.Call) (Queried, error) {
	if failure := args.check(); failure != nil {
		return Queried{}, failure
	}
	if args.Present != "" {
		there, _, err := p.instant(ctx, args.Present, args.Time, "present")
		if err != nil {
			return Queried{}, err
		}
		if len(there) == 0 {
			return Queried{}, noData("see prometheus.targets: is it scraped, and under these labels?", "nothing is there by %s", args.Present)
		}
	}
	samples, warnings, err := p.instant(ctx, args.Query, args.Time, "query")
	if err != nil {
		return Queried{}, err
	}
	if len(samples) == 0 && args.Expect != empty {
		return Queried{}, noData("see prometheus.targets: is it scraped, and under these labels?", "the answer to %s is empty", args.Query)
	}
	q := Queried{Count: len(samples), Samples: samples[:min(len(samples), mostSamples)], Warnings: warnings}
	if len(samples) == 1 {
		q.Value = samples[0].Value
	}
	q.judge(args, samples)
	return q, nil
}

func (q *Queried) judge(args QueryArgs, samples []Sample) {
	counted := fmt.Sprintf("%d samples", len(samples))
	if len(samples) == 1 {
		counted = "1 sample, " + samples[0].Text
	}
	switch args.Expect {
	case empty:
		if len(samples) > 0 {
			q.Result = sdk.NotOK("%s where none should be: %s", counted, named(samples))
			return
		}
		q.Result = sdk.OK("no samples, as it should be")
	case threshold:
		var outside []Sample
		for _, s := range samples {
			if !args.within(s.Value) {
				outside = append(outside, s)
			}
		}
		if q.Outside = len(outside); q.Outside > 0 {
			q.Result = sdk.NotOK("%d of %d not within %s: %s", q.Outside, len(samples), args.bounds(), named(outside))
			return
		}
		q.Result = sdk.OK("%s, all within %s", counted, args.bounds())
	default:
		q.Result = sdk.OK("%s", counted)
	}
}

func (a QueryArgs) within(v *float64) bool {
	return v != nil && (a.Min == nil || *v >= *a.Min) && (a.Max == nil || *v <= *a.Max)
}

func (a QueryArgs) bounds() string {
	low, high := "-Inf", "+Inf"
	if a.Min != nil {
		low = strconv.FormatFloat(*a.Min, 'g', -1, 64)
	}
	if a.Max != nil {
		high = strconv.FormatFloat(*a.Max, 'g', -1, 64)
	}
	return low + " … " + high
}

// named tells the first few samples: {instance="a"} 3, …
func named(samples []Sample) string {
	const most = 3
	var said []string
	for _, s := range samples[:min(len(samples), most)] {
		said = append(said, labelText(s.Labels)+" "+s.Text)
	}
	if left := len(samples) - most; left > 0 {
		said = append(said, fmt.Sprintf("%d more", left))
	}
	return strings.Join(said, ", ")
}

func labelText(labels map[string]string) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" {
			said = append(said, name+"="+strconv.Quote(labels[name]))
		}
	}
	return labels["__name__"] + "{" + strings.Join(said, ",") + "}"
}

// instant evaluates PromQL once; argument is where it was given.
func (p *provider) instant(ctx context.Context, query string, at *time.Time, argument string) ([]Sample, []string, error) {
	form := url.Values{"query": {query}}
	if at != nil {
		form.Set("time", at.UTC().Format(time.RFC3339Nano))
	}
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	warnings, err := p.get(ctx, "query", form, &data)
	if err != nil {
		if f, ok := err.(*schema.Failure); ok && f.Argument != "" {
			f.Argument = argument
		}
		return nil, nil, err
	}
	switch data.Type {
	case "vector":
		var vector []struct {
			Metric map[string]string `json:"metric"`
			Value  point             `json:"value"`
		}
		if err := json.Unmarshal(data.Result, &vector); err != nil {
			return nil, nil, notPrometheus(p.base.Host, 200)
		}
		samples := make([]Sample, len(vector))
		for i, v := range vector {
			samples[i] = Sample{Labels: v.Metric, Value: v.Value.number(), Text: v.Value.text}
		}
		return samples, warnings, nil
	case "scalar":
		var value point
		if err := json.Unmarshal(data.Result, &value); err != nil {
			return nil, nil, notPrometheus(p.base.Host, 200)
		}
		return []Sample{{Labels: map[string]string{}, Value: value.number(), Text: value.text}}, warnings, nil
	}
	return nil, nil, sdk.InvalidArgument(argument, "the answer is a %s; a vector or a scalar is needed, such as by rate(…) or last_over_time(…)", data.Type)
}

// point is a value with its time: [1700000000.1, "3"].
type point struct{ text string }

// UnmarshalJSON implements json.Unmarshaler.
func (p *point) UnmarshalJSON(text []byte) error {
	var at float64
	pair := []any{&at, &p.text}
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a sample of %d parts", len(pair))
	}
	return nil
}

func (p point) number() *float64 {
	n, err := strconv.ParseFloat(p.text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return nil
	}
	return &n
}
