package feast

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/sdk"
)

const freshnessDoc = "How old the values online are: the age of their event timestamps, not of the registry's watermark. A missing key is not fresh, neither is a value from the future, which hides that nothing arrives, nor a view that Feast does not serve."

const syncDoc = "Compares the online store with the newest source row of each entity within the view's time to live: what is missing, older, newer, or different at the same time. Unlike an age it also tells on a closed market."

// FreshnessArgs is what freshness takes.
type FreshnessArgs struct {
	FeatureView string         `runbook:"feature_view" doc:"Name of the feature view."`
	Entities    cty.Value      `runbook:"entities,optional" doc:"Entities to look for, such as [{ symbol = \"USDCOP\" }]; without it all that the source holds within the view's time to live (52 weeks where it has none)."`
	MaxAge      *time.Duration `runbook:"max_age" doc:"Not ok when the oldest value is older."`
}

// Freshness is the answer of freshness.
type Freshness struct {
	sdk.Result
	Age             *float64   `runbook:"age_seconds" doc:"Age of the oldest value; null where a key is missing or none was looked for."`
	Entities        int        `runbook:"entities" doc:"How many entities were looked for."`
	Missing         int        `runbook:"missing" doc:"How many of them are not in the online store."`
	MissingEntities cty.Value  `runbook:"missing_entities" doc:"The first of those."`
	Oldest          *time.Time `runbook:"oldest" doc:"Oldest event timestamp online."`
	OldestEntity    cty.Value  `runbook:"oldest_entity" doc:"Whose it is."`
	Newest          *time.Time `runbook:"newest" doc:"Newest event timestamp online."`
	OfflineNewest   *time.Time `runbook:"offline_newest" doc:"Newest event timestamp of the source; null where entities were given, since the source is then not read."`
	Lag             *float64   `runbook:"lag_seconds" doc:"How far the newest value online is behind the source; null where one of them is not known."`
	Watermark       *time.Time `runbook:"watermark" doc:"Until when the registry says that the view was materialized."`
	State           string     `runbook:"state" doc:"Feast's state of the view."`
	Servable        bool       `runbook:"servable" doc:"Whether Feast hands its values to readers."`
}

type freshnessAnswer struct {
	State           string          `json:"state"`
	Servable        bool            `json:"servable"`
	Entities        int             `json:"entities"`
	Missing         int             `json:"missing"`
	MissingEntities json.RawMessage `json:"missing_entities"`
	Oldest          *time.Time      `json:"oldest"`
	OldestEntity    json.RawMessage `json:"oldest_entity"`
	Newest          *time.Time      `json:"newest"`
	Age             *float64        `json:"age_seconds"`
	OfflineNewest   *time.Time      `json:"offline_newest"`
	Watermark       *time.Time      `json:"watermark"`
}

func (p *provider) freshness(ctx context.Context, args FreshnessArgs, _ *sdk.Call) (Freshness, error) {
	entities, err := document(args.Entities)
	if err != nil {
		return Freshness{}, err
	}
	var seen freshnessAnswer
	if err := p.helper.ask(ctx, "freshness", map[string]any{"feature_view": args.FeatureView, "entities": entities}, &seen); err != nil {
		return Freshness{}, err
	}
	f := Freshness{
		Age: seen.Age, Entities: seen.Entities, Missing: seen.Missing,
		Oldest: seen.Oldest, Newest: seen.Newest, OfflineNewest: seen.OfflineNewest,
		Watermark: seen.Watermark, State: seen.State, Servable: seen.Servable,
	}
	if f.MissingEntities, err = value(seen.MissingEntities); err != nil {
		return Freshness{}, err
	}
	if f.OldestEntity, err = value(seen.OldestEntity); err != nil {
		return Freshness{}, err
	}
	if f.Newest != nil && f.OfflineNewest != nil {
		lag := max(0, f.OfflineNewest.Sub(*f.Newest).Seconds())
		f.Lag = &lag
	}
	f.Result = f.judge(args)
	return f, nil
}

func (f Freshness) judge(args FreshnessArgs) sdk.Result {
	view := args.FeatureView
	switch {
	case f.Entities == 0 && f.OfflineNewest != nil:
		return sdk.NotOK("no entity has a source row within the time to live of %s; the newest row is of %s", view, f.OfflineNewest.Format(time.RFC3339))
	case f.Entities == 0:
		return sdk.NotOK("there is no entity of %s to look for", view)
	case f.Missing == f.Entities:
		return sdk.NotOK("the online store holds none of %d entities of %s", f.Entities, view)
	case f.Missing > 0:
		return sdk.NotOK("the online store holds %d of %d entities of %s", f.Entities-f.Missing, f.Entities, view)
	}
	if ahead := time.Until(*f.Newest); ahead > tolerance {
		return sdk.NotOK("the newest value of %s is %s in the future (%s): a clock or a time zone was wrong, and Redis keeps it until feast.purge_view",
			view, ahead.Round(time.Second), f.Newest.Format(time.RFC3339))
	}
	told := fmt.Sprintf("the oldest value of %s is of %s, %s old", view, f.Oldest.Format(time.RFC3339), age(*f.Age))
	switch {
	case !f.Servable:
		return sdk.NotOK("%s; it is %s, and Feast does not serve it", told, f.State)
	case args.MaxAge != nil && *f.Age > args.MaxAge.Seconds():
		return sdk.NotOK("%s, more than %s", told, *args.MaxAge)
	}
	return sdk.OK("%s", told)
}

// age is a number of seconds as people say it.
func age(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// SyncArgs is what sync takes.
type SyncArgs struct {
	FeatureView string        `runbook:"feature_view" doc:"Name of the feature view."`
	MaxLag      time.Duration `runbook:"max_lag" default:"0s" doc:"How far behind its newest source row an entity may be."`
}

// Sync is the answer of sync.
type Sync struct {
	sdk.Result
	Lag           *float64   `runbook:"lag_seconds" doc:"How far the entity that is furthest behind is behind its newest source row; null where one is missing or there is none."`
	Entities      int        `runbook:"entities" doc:"How many entities the source holds within the time to live."`
	Missing       int        `runbook:"missing" doc:"How many are not in the online store."`
	Behind        int        `runbook:"behind" doc:"How many have an older event timestamp online."`
	Ahead         int        `runbook:"ahead" doc:"How many have a newer event timestamp online than in the source: its rows are gone, or a clock was wrong. A materialization skips older rows; only purge_view makes room."`
	Different     int        `runbook:"different" doc:"How many have other values at the same event timestamp. Redis keeps those: a materialization skips rows that are not newer, and only purge_view makes room."`
	Wrong         cty.Value  `runbook:"wrong_entities" doc:"The first of all of these."`
	OfflineNewest *time.Time `runbook:"offline_newest" doc:"Newest event timestamp of the source."`
	OnlineNewest  *time.Time `runbook:"online_newest" doc:"Newest event timestamp online."`
	State         string     `runbook:"state" doc:"Feast's state of the view."`
	Servable      bool       `runbook:"servable" doc:"Whether Feast hands its values to readers."`
}

type syncAnswer struct {
	Entities      int             `json:"entities"`
	Missing       int             `json:"missing"`
	Behind        int             `json:"behind"`
	Ahead         int             `json:"ahead"`
	Different     int             `json:"different"`
	Wrong         json.RawMessage `json:"wrong_entities"`
	Lag           *float64        `json:"lag_seconds"`
	OfflineNewest *time.Time      `json:"offline_newest"`
	OnlineNewest  *time.Time      `json:"online_newest"`
	Servable      bool            `json:"servable"`
	State         string          `json:"state"`
}

func (p *provider) sync(ctx context.Context, args SyncArgs, _ *sdk.Call) (Sync, error) {
	var seen syncAnswer
	if err := p.helper.ask(ctx, "sync", map[string]any{"feature_view": args.FeatureView}, &seen); err != nil {
		return Sync{}, err
	}
	wrong, err := value(seen.Wrong)
	if err != nil {
		return Sync{}, err
	}
	s := Sync{
		Lag: seen.Lag, Entities: seen.Entities, Missing: seen.Missing, Behind: seen.Behind,
		Ahead: seen.Ahead, Different: seen.Different, Wrong: wrong, OfflineNewest: seen.OfflineNewest,
		OnlineNewest: seen.OnlineNewest, State: seen.State, Servable: seen.Servable,
	}
	late := s.Behind > 0 && s.Lag != nil && *s.Lag > args.MaxLag.Seconds()
	switch {
	case s.Entities == 0 && s.OfflineNewest != nil:
		s.Result = sdk.NotOK("no entity has a source row within the time to live of %s; the newest row is of %s", args.FeatureView, s.OfflineNewest.Format(time.RFC3339))
	case s.Entities == 0:
		s.Result = sdk.NotOK("the source of %s has no rows", args.FeatureView)
	case s.Missing+s.Ahead+s.Different > 0 || late:
		s.Result = sdk.NotOK("of %d entities of %s, %d are missing online, %d behind, %d ahead and %d different",
			s.Entities, args.FeatureView, s.Missing, s.Behind, s.Ahead, s.Different)
	case !s.Servable:
		s.Result = sdk.NotOK("%s is in sync, but it is %s, and Feast does not serve it", args.FeatureView, s.State)
	case s.Behind > 0:
		s.Result = sdk.OK("%d entities of %s are at most %s behind their source", s.Entities, args.FeatureView, age(*s.Lag))
	default:
		s.Result = sdk.OK("%d entities of %s are online as in their source", s.Entities, args.FeatureView)
	}
	return s, nil
}
