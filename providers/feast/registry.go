package feast

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/sdk"
)

const registryDoc = "What the registry holds. It is ok where it exists and holds feature views; Feast itself would write an empty one where there is none, which this probe does not."

// NoArgs is what probes of the whole repository take.
type NoArgs struct{}

// Registry is the answer of registry.
type Registry struct {
	sdk.Result
	Exists          bool            `runbook:"exists" doc:"Whether there is a registry."`
	Project         string          `runbook:"project" doc:"Feast project."`
	Path            string          `runbook:"path" doc:"Where the registry is."`
	FeastVersion    string          `runbook:"feast_version" doc:"Version of Feast in the repository's environment."`
	FeatureViews    []string        `runbook:"feature_views" doc:"Names of the feature views."`
	Views           map[string]View `runbook:"views" doc:"The feature views by name."`
	Entities        []string        `runbook:"entities" doc:"Names of the entities."`
	FeatureServices []string        `runbook:"feature_services" doc:"Names of the feature services."`
	OnlineStore     string          `runbook:"online_store" doc:"URL of the online store; empty where its kind is not known here."`
	OfflineStore    string          `runbook:"offline_store" doc:"URL of the offline store, likewise."`
}

// View is a feature view as the registry has it.
type View struct {
	Entities   []string   `runbook:"entities" doc:"Join keys."`
	Features   []string   `runbook:"features" doc:"Names of the features."`
	TTL        *float64   `runbook:"ttl_seconds" doc:"Time to live; null where values never grow too old."`
	Online     bool       `runbook:"online" doc:"Whether it is meant to be served online."`
	State      string     `runbook:"state" doc:"Feast's state of it, such as AVAILABLE_ONLINE or MATERIALIZING."`
	Servable   bool       `runbook:"servable" doc:"Whether Feast hands its values to readers: not while it is MATERIALIZING, which a killed materialization leaves behind."`
	Intervals  int        `runbook:"intervals" doc:"How many materializations are recorded."`
	LastStart  *time.Time `runbook:"last_start" doc:"Beginning of the interval materialized last; null where there is none."`
	LastEnd    *time.Time `runbook:"last_end" doc:"End of that interval."`
	Watermark  *time.Time `runbook:"watermark" doc:"Where the next incremental materialization would begin; null where none was ever done."`
	FutureMark bool       `runbook:"watermark_in_future" doc:"Whether the watermark is in the future, so that increments read nothing."`
}

// registryAnswer is what the helper says.
type registryAnswer struct {
	Exists  bool   `json:"exists"`
	Project string `json:"project"`
	Path    string `json:"path"`
	Version string `json:"version"`
	Online  string `json:"online"`
	Offline string `json:"offline"`
	Views   []struct {
		Name      string     `json:"name"`
		Entities  []string   `json:"entities"`
		Features  []string   `json:"features"`
		TTL       *float64   `json:"ttl_seconds"`
		Online    bool       `json:"online"`
		State     string     `json:"state"`
		Servable  bool       `json:"servable"`
		Intervals int        `json:"intervals"`
		LastStart *time.Time `json:"last_start"`
		LastEnd   *time.Time `json:"last_end"`
		Watermark *time.Time `json:"watermark"`
	} `json:"views"`
	Entities        []string  `json:"entities"`
	FeatureServices []string  `json:"feature_services"`
	Now             time.Time `json:"now"`
}

func (p *provider) registry(ctx context.Context, _ NoArgs, _ *sdk.Call) (Registry, error) {
	var seen registryAnswer
	if err := p.helper.ask(ctx, "registry", nil, &seen); err != nil {
		return Registry{}, err
	}
	r := Registry{
		Exists: seen.Exists, Project: seen.Project, Path: seen.Path, FeastVersion: seen.Version,
		Views: map[string]View{}, Entities: seen.Entities, FeatureServices: seen.FeatureServices,
		OnlineStore: seen.Online, OfflineStore: seen.Offline,
	}
	var remarks []string
	for _, v := range seen.Views {
		ahead := v.Watermark != nil && v.Watermark.After(seen.Now)
		r.FeatureViews = append(r.FeatureViews, v.Name)
		r.Views[v.Name] = View{
			Entities: v.Entities, Features: v.Features, TTL: v.TTL, Online: v.Online,
			State: v.State, Servable: v.Servable, Intervals: v.Intervals,
			LastStart: v.LastStart, LastEnd: v.LastEnd, Watermark: v.Watermark, FutureMark: ahead,
		}
		switch {
		case !v.Servable:
			remarks = append(remarks, v.Name+" is "+v.State+", and Feast does not serve it")
		case ahead:
			remarks = append(remarks, v.Name+" is marked as materialized until "+v.Watermark.Format(time.RFC3339)+", which is in the future")
		case v.Online && v.Watermark == nil:
			remarks = append(remarks, v.Name+" was never materialized")
		}
	}
	slices.Sort(r.FeatureViews)
	switch {
	case !r.Exists:
		r.Result = sdk.NotOK("there is no registry at %s", r.Path)
	case len(r.FeatureViews) == 0:
		r.Result = sdk.NotOK("the registry at %s holds no feature view", r.Path)
	default:
		remarks = append([]string{"the registry holds " + strings.Join(r.FeatureViews, ", ")}, remarks...)
		r.Result = sdk.OK("%s", strings.Join(remarks, "; "))
	}
	return r, nil
}
