package mlflow

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// run is a run as the REST API has it.
type run struct {
	Info struct {
		ID          string `json:"run_id"`
		Name        string `json:"run_name"`
		Experiment  string `json:"experiment_id"`
		Status      string `json:"status"`
		Start       int64  `json:"start_time"`
		End         int64  `json:"end_time"`
		ArtifactURI string `json:"artifact_uri"`
	} `json:"info"`
	Data struct {
		Metrics []struct {
			Key   string  `json:"key"`
			Value float64 `json:"value"`
		} `json:"metrics"`
		Params, Tags []struct{ Key, Value string }
	} `json:"data"`
}

func (r run) view() runView {
	v := runView{
		RunID: r.Info.ID, Name: r.Info.Name, Experiment: r.Info.Experiment, Status: r.Info.Status, ArtifactURI: r.Info.ArtifactURI,
		StartedAt: moment(r.Info.Start), EndedAt: moment(r.Info.End),
		Metrics: map[string]float64{}, Params: map[string]string{}, Tags: map[string]string{},
	}
	for _, m := range r.Data.Metrics {
		v.Metrics[m.Key] = m.Value
	}
	for _, p := range r.Data.Params {
		v.Params[p.Key] = p.Value
	}
	for _, t := range r.Data.Tags {
		if !strings.HasPrefix(t.Key, "mlflow.") {
			v.Tags[t.Key] = t.Value
		}
	}
	return v
}

// moment is a time in milliseconds; 0 is none.
func moment(milliseconds int64) *time.Time {
	if milliseconds == 0 {
		return nil
	}
	at := time.UnixMilli(milliseconds)
	return &at
}

func (c *client) run(ctx context.Context, id string) (run, error) {
	var found struct {
		Run run `json:"run"`
	}
	err := c.get(ctx, "runs/get", url.Values{"run_id": {id}}, &found)
	return found.Run, missing(err, "run_missing", "the run %s does not exist on MLflow at %s", id, c.uri.Host)
}

// experimentIDs are those that the arguments name; one that does not exist is a
// failure, since MLflow's search would only find nothing.
func (c *client) experimentIDs(ctx context.Context, args runsArgs) ([]string, error) {
	var ids []string
	for _, id := range args.ExperimentIDs {
		if err := c.get(ctx, "experiments/get", url.Values{"experiment_id": {id}}, nil); err != nil {
			return nil, missing(err, "experiment_missing", "there is no experiment with the ID %s on MLflow at %s", id, c.uri.Host)
		}
		ids = append(ids, id)
	}
	for _, name := range args.Experiments {
		var found struct {
			Experiment experiment `json:"experiment"`
		}
		if err := c.get(ctx, "experiments/get-by-name", url.Values{"experiment_name": {name}}, &found); err != nil {
			return nil, missing(err, "experiment_missing", "there is no experiment %s on MLflow at %s", name, c.uri.Host)
		}
		ids = append(ids, found.Experiment.ID)
	}
	return ids, nil
}

func (c *client) searchRuns(ctx context.Context, experiments []string, filter string, order []string, limit int) (runs []runView, more bool, err error) {
	query := map[string]any{"experiment_ids": experiments, "filter": filter, "order_by": order}
	for {
		query["max_results"] = min(pageSize, limit-len(runs)+1)
		var page struct {
			Runs []run  `json:"runs"`
			Next string `json:"next_page_token"`
		}
		if err := c.post(ctx, "runs/search", query, &page); err != nil {
			return nil, false, searched(err)
		}
		for _, r := range page.Runs {
			if len(runs) == limit {
				return runs, true, nil
			}
			runs = append(runs, r.view())
		}
		if page.Next == "" {
			return runs, false, nil
		}
		query["page_token"] = page.Next
	}
}

// searched names the argument that a search was refused for.
func searched(err error) error {
	r, ok := err.(*refusal)
	if !ok || r.Code != "rejected" {
		return err
	}
	f := *r.Failure
	f.Argument = "filter"
	return &f
}

// model is a logged model as the REST API has it.
type model struct {
	Info struct {
		ID          string `json:"model_id"`
		Name        string `json:"name"`
		Status      string `json:"status"`
		ArtifactURI string `json:"artifact_uri"`
		Run         string `json:"source_run_id"`
	} `json:"info"`
}

func (c *client) model(ctx context.Context, id string) (model, error) {
	var found struct {
		Model model `json:"model"`
	}
	err := c.get(ctx, "logged-models/"+url.PathEscape(id), nil, &found)
	return found.Model, missing(err, "model_missing", "there is no logged model %s on MLflow at %s", id, c.uri.Host)
}

// modelsOf are the models that a run has logged. Servers before MLflow 3 know
// none.
func (c *client) modelsOf(ctx context.Context, r run) ([]model, error) {
	if strings.ContainsAny(r.Info.ID, `'"`) {
		return nil, sdk.InvalidArgument("run_id", "%q is no run's ID", r.Info.ID)
	}
	query := map[string]any{"experiment_ids": []string{r.Info.Experiment}, "filter": "source_run_id = '" + r.Info.ID + "'", "max_results": 100}
	var models []model
	for {
		var page struct {
			Models []model `json:"models"`
			Next   string  `json:"next_page_token"`
		}
		err := c.post(ctx, "logged-models/search", query, &page)
		var f *schema.Failure
		if errors.As(err, &f) && f.Code == "not_mlflow" {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		models = append(models, page.Models...)
		if page.Next == "" {
			return models, nil
		}
		query["page_token"] = page.Next
	}
}
