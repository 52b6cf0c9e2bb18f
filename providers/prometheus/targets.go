package prometheus

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const targetsDoc = "Whether what is to be scraped is: each target is up, and there are at least as many as `min`. One that was never scraped is not up."

// TargetsArgs is what targets takes.
type TargetsArgs struct {
	Job    string            `runbook:"job,optional" doc:"Only targets of this job."`
	Labels map[string]string `runbook:"labels,optional" doc:"Only targets with these labels."`
	Min    int               `runbook:"min" default:"1" doc:"How many there have to be at least."`
}

// Target is one that is scraped.
type Target struct {
	Job        string            `runbook:"job" doc:"Its job."`
	Instance   string            `runbook:"instance" doc:"Its instance."`
	Labels     map[string]string `runbook:"labels" doc:"Its labels."`
	Health     string            `runbook:"health" doc:"up, down or unknown."`
	Error      string            `runbook:"error" doc:"Why the last scrape failed; empty where it did not."`
	LastScrape *time.Time        `runbook:"last_scrape" doc:"When it was last scraped; null: never."`
}

// Targets is the answer of targets.
type Targets struct {
	sdk.Result
	Count   int      `runbook:"count" doc:"How many there are."`
	Up      int      `runbook:"up" doc:"How many are up."`
	Targets []Target `runbook:"targets" doc:"All of them."`
}

func (p *provider) targets(ctx context.Context, args TargetsArgs, _ *sdk.Call) (Targets, error) {
	if args.Min < 0 {
		return Targets{}, sdk.InvalidArgument("min", "%d is no number of targets", args.Min)
	}
	var data struct {
		Active []struct {
			Labels     map[string]string `json:"labels"`
			Health     string            `json:"health"`
			LastError  string            `json:"lastError"`
			LastScrape time.Time         `json:"lastScrape"`
		} `json:"activeTargets"`
	}
	if _, err := p.get(ctx, "targets", url.Values{"state": {"active"}}, &data); err != nil {
		return Targets{}, err
	}
	t := Targets{Targets: []Target{}}
	var down []string
	for _, a := range data.Active {
		if args.Job != "" && a.Labels["job"] != args.Job || !carries(a.Labels, args.Labels) {
			continue
		}
		target := Target{Job: a.Labels["job"], Instance: a.Labels["instance"], Labels: a.Labels, Health: a.Health, Error: a.LastError}
		if !a.LastScrape.IsZero() {
			target.LastScrape = &a.LastScrape
		}
		t.Targets = append(t.Targets, target)
		if a.Health == "up" {
			t.Up++
		} else {
			down = append(down, strings.TrimSuffix(target.Instance+" is "+a.Health+": "+a.LastError, ": "))
		}
	}
	switch t.Count = len(t.Targets); {
	case t.Count == 0:
		return Targets{}, noData("see scrape_configs of the server, and the labels that are asked for", "no target is there")
	case len(down) > 0:
		t.Result = sdk.NotOK("%d of %d targets are not up: %s", len(down), t.Count, strings.Join(down[:min(len(down), 3)], "; "))
	case t.Count < args.Min:
		t.Result = sdk.NotOK("%s up, and there should be %d", phrase.Count(int64(t.Count), "target is", "targets are"), args.Min)
	default:
		t.Result = sdk.OK("%s up", phrase.Count(int64(t.Count), "target is", "targets are"))
	}
	return t, nil
}
