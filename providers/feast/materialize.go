package feast

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const materializeDoc = "Writes the newest source row of each entity within an interval to the online store. The way back after a flush or a lost registry, which an incremental one is not. Redis keeps what it has where a row is not newer. Idempotent: the same interval again writes the same rows."

const incrementalDoc = "Writes the newest source rows since the last materialization to the online store. Refused where it would end well and mend nothing: a store that holds nothing of the view, a watermark in the future. Idempotent: the registry's watermark moves only after the rows are written."

// tolerance is how far in the future an end may be. Feast records it as done,
// and rows that arrive before it are then never read.
const tolerance = 5 * time.Second

// MaterializeArgs is what materialize takes.
type MaterializeArgs struct {
	Start        *time.Time `runbook:"start" doc:"Beginning of the interval; without it as far before the end as each view's time to live (52 weeks where it has none)."`
	End          time.Time  `runbook:"end" doc:"End of the interval, such as run.started_at; not in the future."`
	FeatureViews []string   `runbook:"feature_views,optional" doc:"Names of the feature views; without it all that are served online."`
}

// IncrementalArgs is what materialize_incremental takes.
type IncrementalArgs struct {
	EndTime      time.Time `runbook:"end_time" doc:"End of the interval, such as run.started_at; not in the future."`
	FeatureViews []string  `runbook:"feature_views,optional" doc:"Names of the feature views; without it all that are served online."`
}

// Materialized is the answer of both.
type Materialized struct {
	sdk.Result
	RowsWritten *int64     `runbook:"rows_written" doc:"How many rows the online store took; null where it cannot be told (stores other than Redis)."`
	RowsOffered int64      `runbook:"rows_offered" doc:"How many rows were handed to it: the newest one of each entity."`
	Intervals   []Interval `runbook:"intervals" doc:"What was materialized."`
}

// Interval is what one view was materialized over.
type Interval struct {
	FeatureView string     `runbook:"feature_view" doc:"Name of the feature view." json:"feature_view"`
	Start       time.Time  `runbook:"start" doc:"Beginning." json:"start"`
	End         time.Time  `runbook:"end" doc:"End." json:"end"`
	Watermark   *time.Time `runbook:"watermark_before" doc:"Until when the view had been materialized before; null: never." json:"watermark"`
}

// job is what both actions come down to.
type job struct {
	Start       *time.Time
	End         time.Time
	Views       []string
	Incremental bool
}

func (a MaterializeArgs) job() job { return job{a.Start, a.End, a.FeatureViews, false} }

func (a IncrementalArgs) job() job { return job{nil, a.EndTime, a.FeatureViews, true} }

func (j job) args() map[string]any {
	// Older Pythons read no other number of digits.
	const form = "2006-01-02T15:04:05.000000Z"
	given := map[string]any{"end": j.End.UTC().Format(form), "incremental": j.Incremental, "feature_views": j.Views}
	if j.Start != nil {
		given["start"] = j.Start.UTC().Format(form)
	}
	return given
}

func (p *provider) describeMaterialize(args MaterializeArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.resources().materializing(), Summary: "materializes " + named(args.FeatureViews)}
	if call.Unknown("end") {
		return d
	}
	d.Failure = notInFuture("end", args.End)
	start := "$START" // known once the view's time to live is
	if args.Start != nil {
		start = args.Start.Format(time.RFC3339)
		if args.Start.After(args.End) {
			d.Failure = sdk.InvalidArgument("start", "the start %s is after the end %s", start, args.End.Format(time.RFC3339))
		}
	}
	if !call.Unknown("start") && !call.Unknown("feature_views") {
		d.Command = p.feast(append([]string{"materialize", start, args.End.Format(time.RFC3339)}, views(args.FeatureViews)...)...)
	}
	return d
}

func (p *provider) describeIncremental(args IncrementalArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.resources().materializing(), Summary: "materializes what is new of " + named(args.FeatureViews)}
	if call.Unknown("end_time") {
		return d
	}
	d.Failure = notInFuture("end_time", args.EndTime)
	if !call.Unknown("feature_views") {
		d.Command = p.feast(append([]string{"materialize-incremental", args.EndTime.Format(time.RFC3339)}, views(args.FeatureViews)...)...)
	}
	return d
}

func named(views []string) string {
	if len(views) == 0 {
		return "all views that are served online"
	}
	return strings.Join(views, ", ")
}

func views(names []string) []string {
	var words []string
	for _, name := range names {
		words = append(words, "--views", name)
	}
	return words
}

func notInFuture(argument string, end time.Time) *schema.Failure {
	ahead := time.Until(end)
	if ahead <= tolerance {
		return nil
	}
	f := sdk.InvalidArgument(argument, "%s is %s in the future: Feast would call the time until then materialized and never read what arrives in it", end.Format(time.RFC3339), ahead.Round(time.Second))
	f.Code, f.Remedy = "end_in_future", "end at the present, such as at run.started_at"
	return f
}

func (p *provider) previewMaterialize(ctx context.Context, args MaterializeArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	return p.preview(ctx, args.job())
}

func (p *provider) previewIncremental(ctx context.Context, args IncrementalArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	return p.preview(ctx, args.job())
}

func (p *provider) preview(ctx context.Context, j job) (sdk.PreviewResult, error) {
	var seen struct {
		Views []struct {
			Interval
			Rows int64 `json:"rows"`
			Keys int64 `json:"keys"`
		} `json:"views"`
		Online  string `json:"online"`
		Offline string `json:"offline"`
	}
	if err := p.helper.ask(ctx, "preview_materialize", j.args(), &seen); err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{
		Impact:  schema.Impact{"rows": 0, "keys": 0},
		Effects: p.resources().seen(seen.Online, seen.Offline).materializing(),
	}
	for _, v := range seen.Views {
		found.Impact["rows"] += v.Rows
		found.Impact["keys"] += v.Keys
		found.Sample = append(found.Sample, fmt.Sprintf("%s from %s to %s: %d source rows of %d entities",
			v.FeatureView, v.Start.Format(time.RFC3339), v.End.Format(time.RFC3339), v.Rows, v.Keys))
	}
	found.Summary = strings.Join(found.Sample, "; ")
	return found, nil
}

func (p *provider) materialize(ctx context.Context, args MaterializeArgs, call *sdk.Call) (Materialized, error) {
	if args.Start != nil && args.Start.After(args.End) {
		return Materialized{}, sdk.Clean(sdk.InvalidArgument("start", "the start is after the end"))
	}
	if f := notInFuture("end", args.End); f != nil {
		return Materialized{}, sdk.Clean(f)
	}
	return p.run(ctx, call, args.job())
}

func (p *provider) incremental(ctx context.Context, args IncrementalArgs, call *sdk.Call) (Materialized, error) {
	if f := notInFuture("end_time", args.EndTime); f != nil {
		return Materialized{}, sdk.Clean(f)
	}
	return p.run(ctx, call, args.job())
}

func (p *provider) run(ctx context.Context, call *sdk.Call, j job) (Materialized, error) {
	given := j.args()
	for _, unit := range []string{"rows", "keys"} {
		if most, ok := call.Limit(unit); ok {
			given["limit_"+unit] = most
		}
	}
	var done struct {
		Views   []Interval `json:"views"`
		Written *int64     `json:"rows_written"`
		Offered int64      `json:"rows_offered"`
	}
	if err := p.act(ctx, call, "materialize", given, &done); err != nil {
		return Materialized{}, err
	}
	m := Materialized{RowsWritten: done.Written, RowsOffered: done.Offered, Intervals: done.Views}
	switch {
	case m.RowsWritten == nil:
		m.Result = sdk.OK("handed %d rows to the online store", m.RowsOffered)
	case *m.RowsWritten == m.RowsOffered:
		m.Result = sdk.OK("wrote %d rows to the online store", m.RowsOffered)
	default:
		m.Result = sdk.OK("wrote %d of %d rows to the online store; the others were not newer", *m.RowsWritten, m.RowsOffered)
	}
	return m, nil
}
