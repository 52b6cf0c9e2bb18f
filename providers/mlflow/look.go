package mlflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const healthDoc = `Whether MLflow answers a real call of its API: /health alone says OK while the database is gone. It answers ok = false instead of erring; reason says what stood
in the way.`

type healthArgs struct{}

type healthResult struct {
	sdk.Result
	Reason          string  `runbook:"reason" doc:"Why it is not ok, such as connection_refused, timeout, authentication_failed, host_rejected or server_error; empty where it is."`
	Version         string  `runbook:"version" doc:"The server's version; empty where it does not say."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long the answers took, connecting included."`
}

func (p *provider) health(ctx context.Context, _ healthArgs, _ *sdk.Call) (healthResult, error) {
	bounded, stop := reach.Early(ctx)
	defer stop()
	var result healthResult
	started := time.Now()
	err := p.use(bounded, func(c *client) error {
		if err := c.get(bounded, "experiments/search", url.Values{"max_results": {"1"}}, &struct{}{}); err != nil {
			return err
		}
		result.Version = c.serverVersion(bounded)
		return nil
	})
	took := time.Since(started)
	result.DurationSeconds = took.Seconds()
	var f *schema.Failure
	switch {
	case err == nil:
		result.Result = sdk.OK("MLflow %s at %s answers (%s)", result.Version, p.uri.Host, phrase.Round(took))
		return result, nil
	case !errors.As(err, &f) || f.Code == "cancelled":
		return healthResult{}, err
	}
	result.Reason, result.Result = f.Code, sdk.NotOK("%s", f.Message)
	return result, nil
}

// serverVersion is what the server says of itself; old ones do not.
func (c *client) serverVersion(ctx context.Context) string {
	response, err := c.send(ctx, http.MethodGet, "/version", nil, nil, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 100))
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return strings.TrimSpace(string(text))
}

const experimentsDoc = `The experiments of the server. It is ok when there are at least min, and those named in required are among them.`

// maxListed bounds what is listed: an answer about a part would be a guess.
const maxListed = 10_000

type experimentsArgs struct {
	Filter   string   `runbook:"filter,optional" doc:"MLflow's search expression, such as name LIKE 'usdcop%'; without one, all that are not deleted."`
	Required []string `runbook:"required,optional" doc:"Names that must be among them."`
	Min      int64    `runbook:"min" default:"1" doc:"The fewest that are ok."`
}

type experiment struct {
	ID       string `json:"experiment_id" runbook:"experiment_id" doc:"The experiment's ID."`
	Name     string `json:"name" runbook:"name" doc:"Its name."`
	Location string `json:"artifact_location" runbook:"artifact_location" doc:"Where artifacts of its runs are: through the server (mlflow-artifacts:) or straight elsewhere (s3://)."`
}

type experimentsResult struct {
	sdk.Result
	Experiments []experiment `runbook:"experiments" doc:"The experiments, newest first."`
	Missing     []string     `runbook:"missing" doc:"Required names that are not among them."`
}

func (p *provider) experiments(ctx context.Context, args experimentsArgs, _ *sdk.Call) (experimentsResult, error) {
	var result experimentsResult
	err := p.use(ctx, func(c *client) (err error) {
		result.Experiments, err = c.experiments(ctx, args.Filter)
		return err
	})
	if err != nil {
		return experimentsResult{}, err
	}
	known := map[string]bool{}
	for _, e := range result.Experiments {
		known[e.Name] = true
	}
	for _, name := range args.Required {
		if !known[name] {
			result.Missing = append(result.Missing, name)
		}
	}
	told := phrase.Count(int64(len(result.Experiments)), "experiment", "experiments")
	result.Result = sdk.OK("%s", told)
	switch {
	case len(result.Missing) > 0:
		result.Result = sdk.NotOK("%s, but %s", told, strings.Join(result.Missing, ", "))
	case int64(len(result.Experiments)) < args.Min:
		result.Result = sdk.NotOK("%s; at least %d are expected", told, args.Min)
	}
	return result, nil
}

func (c *client) experiments(ctx context.Context, filter string) ([]experiment, error) {
	var all []experiment
	query := url.Values{"max_results": {strconv.Itoa(pageSize)}}
	if filter != "" {
		query.Set("filter", filter)
	}
	for {
		var page struct {
			Experiments []experiment `json:"experiments"`
			Next        string       `json:"next_page_token"`
		}
		if err := c.get(ctx, "experiments/search", query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Experiments...)
		if page.Next == "" {
			return all, nil
		}
		if len(all) > maxListed {
			return nil, tooMany("experiments")
		}
		query.Set("page_token", page.Next)
	}
}

// pageSize is how many things are asked for at once.
const pageSize = 500

func tooMany(what string) *schema.Failure {
	f := sdk.Fail("too_many", "there are more than %d %s", maxListed, what)
	f.Remedy = "narrow filter"
	return f
}

const runsDoc = `The runs of experiments, found by MLflow's own search, page by page. It is ok when there are at least min. An experiment that does not exist is an error, not an
answer.`

type runsArgs struct {
	Experiments   []string `runbook:"experiments,optional" doc:"Names of experiments. These, experiment_ids, or both."`
	ExperimentIDs []string `runbook:"experiment_ids,optional" doc:"IDs of experiments, such as 0 for the default one."`
	Filter        string   `runbook:"filter,optional" doc:"MLflow's search expression, such as metrics.sharpe > 1 and tags.stage = 'evaluation'."`
	OrderBy       []string `runbook:"order_by" default:"[\"attributes.start_time DESC\"]" doc:"MLflow's order."`
	Limit         int64    `runbook:"max_results" default:"100" doc:"The most runs to return, at most 10,000."`
	Min           int64    `runbook:"min" default:"1" doc:"The fewest that are ok."`
}

type runView struct {
	RunID       string             `runbook:"run_id" doc:"The run's ID."`
	Name        string             `runbook:"name" doc:"Its name."`
	Experiment  string             `runbook:"experiment_id" doc:"ID of its experiment."`
	Status      string             `runbook:"status" doc:"RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."`
	StartedAt   *time.Time         `runbook:"started_at" doc:"When it began."`
	EndedAt     *time.Time         `runbook:"ended_at" doc:"When it ended; null while it runs."`
	ArtifactURI string             `runbook:"artifact_uri" doc:"Where its artifacts are."`
	Metrics     map[string]float64 `runbook:"metrics" doc:"The last value of each metric."`
	Params      map[string]string  `runbook:"params" doc:"Its parameters."`
	Tags        map[string]string  `runbook:"tags" doc:"Its tags, without those that MLflow sets itself."`
}

type runsResult struct {
	sdk.Result
	Runs []runView `runbook:"runs" doc:"The runs, in the order asked for."`
	More bool      `runbook:"more" doc:"Whether there are more than max_results."`
}

func (p *provider) runs(ctx context.Context, args runsArgs, _ *sdk.Call) (runsResult, error) {
	switch {
	case len(args.Experiments)+len(args.ExperimentIDs) == 0:
		return runsResult{}, sdk.InvalidArgument("experiments", "neither experiments nor experiment_ids names any")
	case args.Limit < 1 || args.Limit > maxListed:
		return runsResult{}, sdk.InvalidArgument("max_results", "max_results must be from 1 to %d, got %d", maxListed, args.Limit)
	}
	var result runsResult
	err := p.use(ctx, func(c *client) error {
		ids, err := c.experimentIDs(ctx, args)
		if err == nil {
			result.Runs, result.More, err = c.searchRuns(ctx, ids, args.Filter, args.OrderBy, int(args.Limit))
		}
		return err
	})
	if err != nil {
		return runsResult{}, err
	}
	told := phrase.Count(int64(len(result.Runs)), "run", "runs")
	if result.More {
		told = fmt.Sprintf("more than %s", told)
	}
	result.Result = sdk.OK("%s", told)
	if int64(len(result.Runs)) < args.Min {
		result.Result = sdk.NotOK("%s; at least %d are expected", told, args.Min)
	}
	return result, nil
}
