package airflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const healthDoc = "Whether Airflow is healthy by what it says of its parts, not by its status code, which is 200 also where the scheduler is dead. What does not answer is not ok; it is no error."

const dagRunDoc = "A run of a DAG, by its ID or the last one. Ok where its state is one of states, and it ended no longer ago than max_age."

const dagsDoc = "DAGs: those that are asked for, or all. Ok where each is there, is not paused unless `paused` is set, and could be imported."

// HealthArgs is what health takes.
type HealthArgs struct {
	Require []string      `runbook:"require,optional" doc:"Parts that have to be healthy beside metadatabase and scheduler: triggerer, dag_processor."`
	MaxAge  time.Duration `runbook:"max_age" default:"2m" doc:"Oldest acceptable heartbeat of the scheduler and of what is required."`
}

// Part is one of Airflow's parts.
type Part struct {
	Name   string   `runbook:"name" doc:"metadatabase, scheduler, triggerer or dag_processor."`
	Status string   `runbook:"status" doc:"healthy, unhealthy, or empty where it does not run."`
	Age    *float64 `runbook:"heartbeat_age_seconds" doc:"How old its last heartbeat is; null where it has none."`
}

// Health is the answer of health.
type Health struct {
	sdk.Result
	Reason string `runbook:"reason" doc:"Why it is not ok: unhealthy, stale_heartbeat, or what kept it from answering, such as connection_refused; empty where it is."`
	Parts  []Part `runbook:"parts" doc:"What it says of its parts."`
}

func (p *provider) health(ctx context.Context, args HealthArgs, _ *sdk.Call) (Health, error) {
	bounded, stop := reach.Early(ctx)
	defer stop()
	said, err := p.parts(bounded)
	var failure *schema.Failure
	if errors.As(err, &failure) {
		if ctx.Err() == context.Canceled {
			return Health{}, sdk.Fail("cancelled", "cancelled while asking %s", p.base.Host)
		}
		return Health{Result: sdk.NotOK("%s", failure.Message), Reason: failure.Code, Parts: []Part{}}, nil
	}
	if err != nil {
		return Health{}, err
	}
	h := Health{Parts: said}
	wanted := append([]string{"metadatabase", "scheduler"}, args.Require...)
	for _, name := range wanted {
		i := slices.IndexFunc(said, func(part Part) bool { return part.Name == name })
		switch {
		case i < 0 || said[i].Status == "":
			h.Reason, h.Result = "unhealthy", sdk.NotOK("the %s does not run", name)
		case said[i].Status != "healthy":
			h.Reason, h.Result = "unhealthy", sdk.NotOK("the %s is %s", name, said[i].Status)
		case said[i].Age != nil && *said[i].Age > args.MaxAge.Seconds():
			h.Reason, h.Result = "stale_heartbeat", sdk.NotOK("the last heartbeat of the %s is %s old", name, phrase.Span(*said[i].Age))
		default:
			continue
		}
		return h, nil
	}
	h.Result = sdk.OK("%s are healthy", strings.Join(wanted, ", "))
	return h, nil
}

// parts asks for what Airflow says of its parts.
func (p *provider) parts(ctx context.Context) ([]Part, error) {
	api, err := p.version(ctx)
	if err != nil {
		return nil, err
	}
	path := []string{"health"}
	if api == v2 {
		path = []string{"monitor", "health"}
	}
	var data map[string]map[string]*string
	if err := p.do(ctx, call{method: http.MethodGet, path: path, public: true}, &data); err != nil {
		return nil, looked(err, "", "")
	}
	if data["metadatabase"] == nil {
		return nil, sdk.Clean(p.notAirflow(http.StatusOK))
	}
	var all []Part
	for _, name := range []string{"metadatabase", "scheduler", "triggerer", "dag_processor"} {
		fields, ok := data[name]
		if !ok {
			continue
		}
		part := Part{Name: name}
		if status := fields["status"]; status != nil {
			part.Status = *status
		}
		if beat := fields["latest_"+name+"_heartbeat"]; beat != nil {
			if at, err := time.Parse(time.RFC3339, *beat); err == nil {
				age := max(0, time.Since(at).Seconds())
				part.Age = &age
			}
		}
		all = append(all, part)
	}
	return all, nil
}

// DagRunArgs is what dag_run takes.
type DagRunArgs struct {
	DagID  string         `runbook:"dag_id" doc:"The DAG."`
	RunID  string         `runbook:"run_id,optional" doc:"The run; without it the one that was started last."`
	States []string       `runbook:"states" default:"[\"success\"]" doc:"States that are ok, of queued, running, success and failed."`
	MaxAge *time.Duration `runbook:"max_age" doc:"How long ago it may have ended, or begun where it has not ended; without it any time."`
}

// DagRun is the answer of dag_run.
type DagRun struct {
	sdk.Result
	RunID       string     `runbook:"run_id" doc:"Its ID."`
	State       string     `runbook:"state" doc:"queued, running, success or failed."`
	LogicalDate *time.Time `runbook:"logical_date" doc:"Its logical date; null where it has none."`
	StartedAt   *time.Time `runbook:"started_at" doc:"When it began; null where it is queued."`
	EndedAt     *time.Time `runbook:"ended_at" doc:"When it ended; null where it has not."`
	Failed      []string   `runbook:"failed_tasks" doc:"Tasks of it that failed, or whose upstream did."`
}

// run is a DAG run as both versions of the API have it.
type run struct {
	ID      string     `json:"dag_run_id"`
	State   string     `json:"state"`
	Logical *time.Time `json:"logical_date"`
	Start   *time.Time `json:"start_date"`
	End     *time.Time `json:"end_date"`
}

// checkID refuses what no ID can be, and a path could.
func checkID(argument, id string) *schema.Failure {
	if id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/\\?#\n") {
		return sdk.InvalidArgument(argument, "%q is no ID", id)
	}
	return nil
}

func (p *provider) dagRun(ctx context.Context, args DagRunArgs, _ *sdk.Call) (DagRun, error) {
	if failure := checkID("dag_id", args.DagID); failure != nil {
		return DagRun{}, failure
	}
	if args.RunID != "" {
		if failure := checkID("run_id", args.RunID); failure != nil {
			return DagRun{}, failure
		}
	}
	r, err := p.findRun(ctx, args.DagID, args.RunID)
	if err != nil {
		return DagRun{}, err
	}
	found, err := p.told(ctx, args.DagID, r)
	if err != nil {
		return DagRun{}, err
	}
	since := r.End
	if since == nil {
		since = r.Start
	}
	said := fmt.Sprintf("%s of %s is %s", r.ID, args.DagID, found.words())
	switch {
	case !slices.Contains(args.States, r.State):
		found.Result = sdk.NotOK("%s, not %s", said, strings.Join(args.States, " or "))
	case args.MaxAge != nil && (since == nil || time.Since(*since) > *args.MaxAge):
		found.Result = sdk.NotOK("%s, and longer ago than %s", said, *args.MaxAge)
	default:
		found.Result = sdk.OK("%s", said)
	}
	return found, nil
}

// told is a run with what failed in it.
func (p *provider) told(ctx context.Context, dag string, r run) (DagRun, error) {
	d := DagRun{RunID: r.ID, State: r.State, LogicalDate: r.Logical, StartedAt: r.Start, EndedAt: r.End, Failed: []string{}}
	if r.State != "failed" {
		return d, nil
	}
	var data struct {
		Tasks []struct {
			ID    string `json:"task_id"`
			State string `json:"state"`
		} `json:"task_instances"`
	}
	c := call{method: http.MethodGet, path: []string{"dags", dag, "dagRuns", r.ID, "taskInstances"}, query: url.Values{"limit": {"100"}}}
	if err := p.do(ctx, c, &data); err != nil {
		return d, looked(err, "run_id", "run "+r.ID+" of "+dag)
	}
	for _, task := range data.Tasks {
		if task.State == "failed" || task.State == "upstream_failed" {
			d.Failed = append(d.Failed, task.ID)
		}
	}
	return d, nil
}

func (d DagRun) words() string {
	said := d.State
	if len(d.Failed) > 0 {
		said += " (" + strings.Join(d.Failed[:min(len(d.Failed), 5)], ", ") + ")"
	}
	return said
}

// findRun is a run by its ID, or the one that was started last.
func (p *provider) findRun(ctx context.Context, dag, id string) (run, error) {
	if id != "" {
		var r run
		err := p.do(ctx, call{method: http.MethodGet, path: []string{"dags", dag, "dagRuns", id}}, &r)
		return r, looked(err, "run_id", "run "+id+" of "+dag)
	}
	if _, err := p.findDag(ctx, dag); err != nil { // one without runs and one that is not there look the same
		return run{}, err
	}
	var data struct {
		Runs []run `json:"dag_runs"`
	}
	c := call{method: http.MethodGet, path: []string{"dags", dag, "dagRuns"}, query: url.Values{"order_by": {"-start_date"}, "limit": {"1"}}}
	if err := p.do(ctx, c, &data); err != nil {
		return run{}, looked(err, "dag_id", "DAG "+dag)
	}
	if len(data.Runs) == 0 {
		f := sdk.Fail("no_data", "%s has no run yet", dag)
		f.Remedy = "trigger one, or wait for its schedule"
		return run{}, sdk.Clean(f)
	}
	return data.Runs[0], nil
}

// DagsArgs is what dags takes.
type DagsArgs struct {
	IDs    []string `runbook:"ids,optional" doc:"DAGs by ID; each must be there. Without it all that are active."`
	Paused bool     `runbook:"paused" default:"false" doc:"Whether one that is paused is ok."`
}

// Dag is one DAG.
type Dag struct {
	ID       string `runbook:"dag_id" doc:"Its ID."`
	Paused   bool   `runbook:"paused" doc:"Whether it is paused."`
	Active   bool   `runbook:"active" doc:"Whether its file is still there."`
	Imported bool   `runbook:"imported" doc:"Whether its file could be imported the last time."`
}

// Dags is the answer of dags.
type Dags struct {
	sdk.Result
	Count  int      `runbook:"count" doc:"How many there are of those asked for."`
	Dags   []Dag    `runbook:"dags" doc:"They, in order."`
	Errors []string `runbook:"import_errors" doc:"Files that cannot be imported."`
}

// dag is a DAG as the two versions of the API have it.
type dag struct {
	ID     string `json:"dag_id"`
	Paused bool   `json:"is_paused"`
	Active *bool  `json:"is_active"` // v1
	Stale  *bool  `json:"is_stale"`  // v2
	Broken bool   `json:"has_import_errors"`
}

func (d dag) told() Dag {
	active := d.Active == nil || *d.Active
	if d.Stale != nil {
		active = !*d.Stale
	}
	return Dag{ID: d.ID, Paused: d.Paused, Active: active, Imported: !d.Broken}
}

func (p *provider) findDag(ctx context.Context, id string) (dag, error) {
	var d dag
	err := p.do(ctx, call{method: http.MethodGet, path: []string{"dags", id}}, &d)
	return d, looked(err, "dag_id", "DAG "+id)
}

// page is how many are asked for at once.
const page = 100

func (p *provider) dags(ctx context.Context, args DagsArgs, _ *sdk.Call) (Dags, error) {
	for _, id := range args.IDs {
		if failure := checkID("ids", id); failure != nil {
			return Dags{}, failure
		}
	}
	found := Dags{Dags: []Dag{}, Errors: []string{}}
	for offset := 0; ; offset += page {
		var data struct {
			Dags []dag `json:"dags"`
		}
		c := call{method: http.MethodGet, path: []string{"dags"}, query: url.Values{"limit": {strconv.Itoa(page)}, "offset": {strconv.Itoa(offset)}, "order_by": {"dag_id"}}}
		if err := p.do(ctx, c, &data); err != nil {
			return Dags{}, looked(err, "", "")
		}
		for _, d := range data.Dags {
			if len(args.IDs) == 0 || slices.Contains(args.IDs, d.ID) {
				found.Dags = append(found.Dags, d.told())
			}
		}
		if len(data.Dags) < page {
			break
		}
	}
	var data struct {
		Errors []struct {
			File string `json:"filename"`
		} `json:"import_errors"`
	}
	if err := p.do(ctx, call{method: http.MethodGet, path: []string{"importErrors"}, query: url.Values{"limit": {strconv.Itoa(page)}}}, &data); err != nil {
		return Dags{}, looked(err, "", "")
	}
	for _, e := range data.Errors {
		found.Errors = append(found.Errors, e.File)
	}
	found.Count = len(found.Dags)
	return found, found.judge(args)
}

func (d *Dags) judge(args DagsArgs) error {
	var bad []string
	for _, id := range args.IDs {
		if !slices.ContainsFunc(d.Dags, func(found Dag) bool { return found.ID == id }) {
			bad = append(bad, id+" is not there")
		}
	}
	for _, found := range d.Dags {
		switch {
		case !found.Imported:
			bad = append(bad, found.ID+" cannot be imported")
		case !found.Active:
			bad = append(bad, found.ID+" is not active")
		case found.Paused && !args.Paused:
			bad = append(bad, found.ID+" is paused")
		}
	}
	if len(args.IDs) == 0 && len(d.Errors) > 0 {
		bad = append(bad, "cannot be imported: "+strings.Join(d.Errors[:min(len(d.Errors), 3)], ", "))
	}
	switch {
	case len(bad) > 0:
		d.Result = sdk.NotOK("%s", strings.Join(bad[:min(len(bad), 5)], "; "))
	case d.Count == 0:
		f := sdk.Fail("no_data", "there is no DAG: no data is no answer")
		f.Remedy = "see the scheduler's log and its dags folder"
		return f
	default:
		d.Result = sdk.OK("%s", phrase.Count(int64(d.Count), "DAG is as it should be", "DAGs are as they should be"))
	}
	return nil
}
