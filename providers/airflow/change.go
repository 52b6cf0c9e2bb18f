package airflow

import (
	"context"
	"net/http"
	"net/url"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const clearDoc = "Has tasks of a run done again: those that failed, or all that are named. It does not wait for them: look by airflow.dag_run, in a verify."

const pauseDoc = "Pauses a DAG: no run of it begins any more; those that have begun go on."

const unpauseDoc = "Lets a DAG run again by its schedule."

// ClearArgs is what clear takes.
type ClearArgs struct {
	DagID      string   `runbook:"dag_id" doc:"The DAG."`
	RunID      string   `runbook:"run_id" doc:"The run."`
	Tasks      []string `runbook:"tasks,optional" doc:"Only these tasks. Without it any."`
	OnlyFailed bool     `runbook:"only_failed" default:"true" doc:"Whether only those that failed are done again."`
	Downstream bool     `runbook:"downstream" default:"false" doc:"Whether what comes after the tasks is done again too."`
}

// Cleared is the answer of clear.
type Cleared struct {
	sdk.Result
	Tasks int      `runbook:"tasks" doc:"How many are done again."`
	Names []string `runbook:"names" doc:"Which."`
}

func (a ClearArgs) check() *schema.Failure {
	if failure := checkID("dag_id", a.DagID); failure != nil {
		return failure
	}
	return checkID("run_id", a.RunID)
}

func (a ClearArgs) body(dry bool) map[string]any {
	body := map[string]any{
		"dry_run": dry, "dag_run_id": a.RunID, "only_failed": a.OnlyFailed, "only_running": false, "reset_dag_runs": true, "include_downstream": a.Downstream,
	}
	if len(a.Tasks) > 0 {
		body["task_ids"] = a.Tasks
	}
	return body
}

func (p *provider) describeClear(args ClearArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.resource(args.DagID, call.Unknown("dag_id")), Summary: "has tasks of a run done again"}
	if call.Unknown("dag_id") || call.Unknown("run_id") || call.Unknown("tasks") || call.Unknown("only_failed") || call.Unknown("downstream") {
		return d
	}
	if d.Failure = args.check(); d.Failure == nil {
		d.Summary = "has tasks of " + args.RunID + " of " + args.DagID + " done again"
		d.Command = p.curl(http.MethodPost, args.body(false), "dags", args.DagID, "clearTaskInstances")
	}
	return d
}

func (p *provider) clearing(ctx context.Context, args ClearArgs, dry bool) ([]string, error) {
	var data struct {
		Tasks []struct {
			ID string `json:"task_id"`
		} `json:"task_instances"`
	}
	err := p.do(ctx, call{method: http.MethodPost, path: []string{"dags", args.DagID, "clearTaskInstances"}, body: args.body(dry)}, &data)
	names := []string{}
	for _, task := range data.Tasks {
		names = append(names, task.ID)
	}
	return names, err
}

func (p *provider) previewClear(ctx context.Context, args ClearArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	names, err := p.wouldClear(ctx, args)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{Impact: schema.Impact{"tasks": int64(len(names))}, Sample: names[:min(len(names), 10)]}, nil
}

// wouldClear names the tasks that would be done again now.
func (p *provider) wouldClear(ctx context.Context, args ClearArgs) ([]string, error) {
	if failure := args.check(); failure != nil {
		return nil, sdk.Clean(failure)
	}
	if _, err := p.findRun(ctx, args.DagID, args.RunID); err != nil { // of a run that is not there v1 clears nothing, and is content
		return nil, err
	}
	names, err := p.clearing(ctx, args, true)
	return names, looked(err, "dag_id", "DAG "+args.DagID)
}

func (p *provider) clear(ctx context.Context, args ClearArgs, _ *sdk.Call) (Cleared, error) {
	names, err := p.wouldClear(ctx, args)
	if err != nil {
		return Cleared{}, err
	}
	if len(names) == 0 {
		f := sdk.Fail("nothing_to_clear", "no task of %s of %s is to be done again", args.RunID, args.DagID)
		f.Remedy = "see by airflow.dag_run what failed; only_failed = false takes the others too"
		return Cleared{}, sdk.Clean(f)
	}
	if names, err = p.clearing(ctx, args, false); err != nil {
		return Cleared{}, acted(err, "dag_id", "DAG "+args.DagID)
	}
	return Cleared{
		Result: sdk.OK("%s of %s done again", phrase.Count(int64(len(names)), "task", "tasks"), args.RunID), Tasks: len(names), Names: names,
	}, nil
}

// DagArgs is what pause and unpause take.
type DagArgs struct {
	DagID string `runbook:"dag_id" doc:"The DAG."`
}

// Paused is the answer of pause and unpause.
type Paused struct {
	sdk.Result
	Was bool `runbook:"was_paused" doc:"Whether it was paused before."`
}

func (p *provider) describePaused(args DagArgs, call *sdk.Call, what string, paused bool) sdk.Description {
	d := sdk.Description{Effects: p.resource(args.DagID, call.Unknown("dag_id")), Summary: what + " a DAG"}
	if call.Unknown("dag_id") {
		return d
	}
	if d.Failure = checkID("dag_id", args.DagID); d.Failure == nil {
		d.Summary = what + " " + args.DagID
		d.Command = p.curl(http.MethodPatch, map[string]bool{"is_paused": paused}, "dags", args.DagID)
	}
	return d
}

func (p *provider) describePause(args DagArgs, call *sdk.Call) sdk.Description {
	return p.describePaused(args, call, "pauses", true)
}

func (p *provider) describeUnpause(args DagArgs, call *sdk.Call) sdk.Description {
	return p.describePaused(args, call, "unpauses", false)
}

func (p *provider) pause(ctx context.Context, args DagArgs, _ *sdk.Call) (Paused, error) {
	return p.setPaused(ctx, args, true)
}

func (p *provider) unpause(ctx context.Context, args DagArgs, _ *sdk.Call) (Paused, error) {
	return p.setPaused(ctx, args, false)
}

func (p *provider) setPaused(ctx context.Context, args DagArgs, paused bool) (Paused, error) {
	if failure := checkID("dag_id", args.DagID); failure != nil {
		return Paused{}, sdk.Clean(failure)
	}
	before, err := p.findDag(ctx, args.DagID)
	if err != nil {
		return Paused{}, err
	}
	var after dag
	err = p.do(ctx, call{
		method: http.MethodPatch, path: []string{"dags", args.DagID}, query: url.Values{"update_mask": {"is_paused"}}, body: map[string]bool{"is_paused": paused},
	}, &after)
	word := map[bool]string{true: "paused", false: "not paused"}
	switch {
	case err != nil:
		return Paused{}, acted(err, "dag_id", "DAG "+args.DagID)
	case after.Paused != paused:
		return Paused{}, sdk.Fail("not_taken", "%s is %s all the same", args.DagID, word[after.Paused])
	}
	return Paused{Result: sdk.OK("%s is %s", args.DagID, word[paused]), Was: before.Paused}, nil
}
