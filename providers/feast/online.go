package feast

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const onlineFeaturesDoc = "Asks Feast for features as a reader would. Ok where every value is present. Feast's own status is not believed: with Redis it calls keys PRESENT that do not exist, and values that have outlived their view's time to live."

const onlineKeysDoc = "Counts the keys that hold a view's values in a Redis online store. Ok where there is one."

const purgeDoc = "Takes all values of one feature view out of a Redis online store, and nothing else: values of other views, of other projects, and keys that are not Feast's stay. The registry keeps its watermark, so that only feast.materialize brings the values back."

// OnlineFeaturesArgs is what online_features takes.
type OnlineFeaturesArgs struct {
	Features []string  `runbook:"features" doc:"Features, such as technical_features:rsi_9."`
	Entities cty.Value `runbook:"entities" doc:"Entities to ask for, such as [{ symbol = \"USDCOP\" }]."`
}

// OnlineFeatures is the answer of online_features.
type OnlineFeatures struct {
	sdk.Result
	Rows    cty.Value `runbook:"rows" doc:"For each entity an object of entity, values, statuses (present, null, missing, expired) and event_timestamps; the last three by feature."`
	Missing int       `runbook:"missing" doc:"How many values are not present."`
	Refused string    `runbook:"refused" doc:"Why Feast does not serve the view; empty where it does."`
}

func (p *provider) onlineFeatures(ctx context.Context, args OnlineFeaturesArgs, _ *sdk.Call) (OnlineFeatures, error) {
	entities, err := document(args.Entities)
	if err != nil {
		return OnlineFeatures{}, err
	}
	for _, feature := range args.Features {
		if view, name, ok := strings.Cut(feature, ":"); !ok || view == "" || name == "" {
			return OnlineFeatures{}, sdk.InvalidArgument("features", "%q is not a feature such as technical_features:rsi_9", feature)
		}
	}
	if len(args.Features) == 0 || len(entities) == 0 || string(entities) == "[]" {
		return OnlineFeatures{}, sdk.InvalidArgument("features", "at least one feature and one entity are needed")
	}
	var seen struct {
		Refused string          `json:"refused"`
		Rows    json.RawMessage `json:"rows"`
	}
	if err := p.helper.ask(ctx, "online_features", map[string]any{"features": args.Features, "entities": entities}, &seen); err != nil {
		return OnlineFeatures{}, err
	}
	f := OnlineFeatures{Refused: seen.Refused}
	if f.Rows, err = value(seen.Rows); err != nil {
		return OnlineFeatures{}, err
	}
	if f.Refused != "" {
		f.Result = sdk.NotOK("Feast refuses: %s", f.Refused)
		return f, nil
	}
	var rows []struct {
		Statuses map[string]string `json:"statuses"`
	}
	if err := json.Unmarshal(seen.Rows, &rows); err != nil {
		return OnlineFeatures{}, fmt.Errorf("read Feast's answer: %w", err)
	}
	total := 0
	for _, row := range rows {
		for _, status := range row.Statuses {
			total++
			if status != "present" {
				f.Missing++
			}
		}
	}
	if f.Missing > 0 {
		f.Result = sdk.NotOK("%d of %d values are not present", f.Missing, total)
	} else {
		f.Result = sdk.OK("every value is present (%d asked for)", total)
	}
	return f, nil
}

// ViewArgs names a feature view.
type ViewArgs struct {
	FeatureView string `runbook:"feature_view" doc:"Name of the feature view."`
}

// OnlineKeys is the answer of online_keys.
type OnlineKeys struct {
	sdk.Result
	Keys   int64     `runbook:"keys" doc:"How many keys hold values of the view."`
	Sample cty.Value `runbook:"sample" doc:"The first of their entities."`
}

type keysAnswer struct {
	Keys   int64             `json:"keys"`
	Sample []json.RawMessage `json:"sample"`
	Online string            `json:"online"`
}

func (p *provider) onlineKeys(ctx context.Context, args ViewArgs, _ *sdk.Call) (OnlineKeys, error) {
	var seen keysAnswer
	if err := p.helper.ask(ctx, "online_keys", map[string]any{"feature_view": args.FeatureView}, &seen); err != nil {
		return OnlineKeys{}, err
	}
	k := OnlineKeys{Keys: seen.Keys}
	all, err := json.Marshal(seen.Sample)
	if err != nil {
		return OnlineKeys{}, fmt.Errorf("read Feast's answer: %w", err)
	}
	if k.Sample, err = value(all); err != nil {
		return OnlineKeys{}, err
	}
	k.Result = sdk.OK("%d keys hold values of %s", k.Keys, args.FeatureView)
	k.OK = k.Keys > 0
	return k, nil
}

// Purged is the answer of purge_view.
type Purged struct {
	sdk.Result
	Keys int64 `runbook:"keys" doc:"How many keys the view's values were taken out of."`
}

func (p *provider) describePurge(args ViewArgs, _ *sdk.Call) sdk.Description {
	return sdk.Description{
		Effects:     p.resources().effects("", schema.Delete, ""),
		Destructive: true,
		Summary:     "deletes all online values of " + args.FeatureView,
	}
}

func (p *provider) previewPurge(ctx context.Context, args ViewArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	var seen keysAnswer
	if err := p.helper.ask(ctx, "online_keys", map[string]any{"feature_view": args.FeatureView}, &seen); err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{
		Impact:  schema.Impact{"keys": seen.Keys},
		Effects: p.resources().seen(seen.Online, "").effects("", schema.Delete, ""),
		Summary: fmt.Sprintf("deletes the values of %s from %d keys", args.FeatureView, seen.Keys),
	}
	for _, entity := range seen.Sample {
		found.Sample = append(found.Sample, string(entity))
	}
	return found, nil
}

func (p *provider) purge(ctx context.Context, args ViewArgs, call *sdk.Call) (Purged, error) {
	var done struct {
		Keys int64 `json:"keys"`
	}
	given := map[string]any{"feature_view": args.FeatureView}
	if most, ok := call.Limit("keys"); ok {
		given["limit_keys"] = most
	}
	if err := p.act(ctx, call, "purge", given, &done); err != nil {
		return Purged{}, err
	}
	return Purged{sdk.OK("deleted the values of %s from %d keys", args.FeatureView, done.Keys), done.Keys}, nil
}
