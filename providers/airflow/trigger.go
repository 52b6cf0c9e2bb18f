package airflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const triggerDoc = "Starts a run of a DAG and waits until it has succeeded. Its ID is made of the key of run and step, so that a second attempt finds it and makes no other. Cancelled, it fails the run. A DAG that is paused is refused: its run would wait for ever."

// TriggerArgs is what trigger takes.
type TriggerArgs struct {
	DagID string        `runbook:"dag_id" doc:"The DAG."`
	Conf  cty.Value     `runbook:"conf,optional" doc:"What the run is given, an object."`
	RunID string        `runbook:"run_id,optional" doc:"ID of the run; without it runbook__ and the key of run and step. One that is there already is taken for the first attempt's."`
	Wait  bool          `runbook:"wait" default:"true" doc:"Whether to wait for its end; else it is done once it is queued."`
	Every time.Duration `runbook:"every" default:"5s" doc:"How often it is looked at."`
}

// Triggered is the answer of trigger.
type Triggered struct {
	DagRun
	Existed bool `runbook:"existed" doc:"Whether the run was there already."`
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9_.~:+-]+`)

// runID is the ID of the run that a call stands for.
func (a TriggerArgs) runID(key string) string {
	if a.RunID != "" {
		return a.RunID
	}
	return "runbook__" + notInID.ReplaceAllString(key, "-")
}

func (a TriggerArgs) conf() (json.RawMessage, *schema.Failure) {
	if a.Conf == cty.NilVal || a.Conf.IsNull() {
		return json.RawMessage("{}"), nil
	}
	if t := a.Conf.Type(); !t.IsObjectType() && !t.IsMapType() {
		return nil, sdk.InvalidArgument("conf", "it is a %s, and Airflow takes an object", t.FriendlyName())
	}
	text, err := ctyjson.Marshal(a.Conf, a.Conf.Type())
	if err != nil {
		return nil, sdk.InvalidArgument("conf", "it cannot be sent as JSON: %v", err)
	}
	return text, nil
}

func (a TriggerArgs) check() *schema.Failure {
	if failure := checkID("dag_id", a.DagID); failure != nil {
		return failure
	}
	if a.RunID != "" {
		if failure := checkID("run_id", a.RunID); failure != nil {
			return failure
		}
	}
	if a.Every <= 0 {
		return sdk.InvalidArgument("every", "it has to be longer than zero")
	}
	_, failure := a.conf()
	return failure
}

// resource is a DAG, or Airflow as a whole where it is not known yet.
func (p *provider) resource(dag string, unknown bool) []schema.Effect {
	u := *p.base
	if !unknown {
		u = *u.JoinPath("dags", dag)
	}
	return []schema.Effect{{Resource: sdk.EffectURL(&u), Mode: schema.Write}}
}

// curl is what a person would type.
func (p *provider) curl(method string, body any, path ...string) []string {
	api := p.config.API
	if api == auto {
		api = v2
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil
	}
	return []string{"curl", "-fsS", "-X", method, "-H", "Authorization: $AIRFLOW_AUTHORIZATION", "-H", "Content-Type: application/json",
		"--data-raw", string(text), p.base.JoinPath(append([]string{"api", api}, escaped(path)...)...).String()}
}

func (p *provider) describeTrigger(args TriggerArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: p.resource(args.DagID, call.Unknown("dag_id")), Summary: "starts a run of a DAG"}
	if call.Unknown("dag_id") || call.Unknown("run_id") || call.Unknown("conf") || call.Unknown("every") {
		return d
	}
	if d.Failure = args.check(); d.Failure != nil {
		return d
	}
	conf, _ := args.conf()
	d.Summary = "starts a run of " + args.DagID
	d.Command = p.curl(http.MethodPost, map[string]any{"dag_run_id": args.runID("KEY"), "logical_date": nil, "conf": conf}, "dags", args.DagID, "dagRuns")
	return d
}

func (p *provider) trigger(ctx context.Context, args TriggerArgs, c *sdk.Call) (Triggered, error) {
	if failure := args.check(); failure != nil {
		return Triggered{}, sdk.Clean(failure)
	}
	found, err := p.findDag(ctx, args.DagID)
	switch {
	case err != nil:
		return Triggered{}, err
	case found.Paused:
		f := sdk.Fail("paused", "%s is paused: its run would wait for ever", args.DagID)
		f.Remedy = "unpause it first, by airflow.unpause"
		return Triggered{}, sdk.Clean(f)
	}
	id := args.runID(c.Key())
	conf, _ := args.conf() // check has seen it
	body := map[string]any{"dag_run_id": id, "conf": conf}
	api, err := p.version(ctx)
	if err != nil {
		return Triggered{}, err
	}
	if api == v2 {
		body["logical_date"] = nil // v2 wants it said
	}
	var t Triggered
	var r run
	err = p.do(ctx, call{method: http.MethodPost, path: []string{"dags", args.DagID, "dagRuns"}, body: body}, &r)
	var away *statusError
	switch {
	case errors.As(err, &away) && away.status == http.StatusConflict:
		// By its ID it is what an earlier attempt made, or what the author means.
		if r, err = p.findRun(ctx, args.DagID, id); err != nil {
			return Triggered{}, err
		}
		t.Existed = true
	case err != nil:
		return Triggered{}, acted(err, "dag_id", "DAG "+args.DagID)
	}
	c.Logf("run %s of %s is %s", r.ID, args.DagID, r.State)
	if args.Wait {
		if r, err = p.await(ctx, args, r, c); err != nil {
			return Triggered{}, err
		}
	}
	if t.DagRun, err = p.told(ctx, args.DagID, r); err != nil {
		return Triggered{}, err
	}
	return t, t.judge(args)
}

// judge tells an action by how far the run has come.
func (t *Triggered) judge(args TriggerArgs) error {
	t.Result = sdk.OK("%s of %s is %s", t.RunID, args.DagID, t.words())
	if t.State != "failed" {
		return nil
	}
	f := sdk.Fail("run_failed", "%s of %s has failed", t.RunID, args.DagID)
	if len(t.Failed) > 0 {
		f.Message += ": " + strings.Join(t.Failed[:min(len(t.Failed), 5)], ", ")
	}
	f.Remedy = "see the tasks' logs; airflow.clear runs what failed again"
	return f
}

// await looks at a run until it has ended. Cut short, it has Airflow fail it.
func (p *provider) await(ctx context.Context, args TriggerArgs, r run, c *sdk.Call) (run, error) {
	tick := time.NewTicker(args.Every)
	defer tick.Stop()
	state := r.State
	for r.State != "success" && r.State != "failed" {
		select {
		case <-ctx.Done():
			return r, p.abort(ctx, args.DagID, r.ID)
		case <-tick.C:
		}
		now, err := p.findRun(ctx, args.DagID, r.ID)
		switch {
		case ctx.Err() != nil:
			return r, p.abort(ctx, args.DagID, r.ID)
		case err != nil: // it goes on, whether it can be looked at or not
			c.Logf("it cannot be looked at: %s", err)
			continue
		}
		if r = now; r.State != state {
			state = r.State
			c.Logf("run %s of %s is %s", r.ID, args.DagID, r.State)
		}
	}
	return r, nil
}

// abortTimeout bounds the call that ends a run which nobody waits for any more.
const abortTimeout = 8 * time.Second

// abort has a run fail, and says how certain it is that nothing of it goes on.
func (p *provider) abort(ctx context.Context, dag, id string) error {
	code, what := "cancelled", "was cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code, what = "timeout", "did not end in time"
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	err := p.do(bounded, call{method: http.MethodPatch, path: []string{"dags", dag, "dagRuns", id}, body: map[string]string{"state": "failed"}}, nil)
	if err != nil {
		f := sdk.Fail(code, "run %s of %s %s, and may go on: %s", id, dag, what, err)
		f.Remedy = "see it in Airflow"
		return sdk.Uncertain(f)
	}
	return sdk.Fail(code, "run %s of %s %s and was marked as failed", id, dag, what)
}

func (p *provider) settleTrigger(ctx context.Context, args TriggerArgs, c *sdk.Call) (Triggered, schema.State, error) {
	id := args.runID(c.Key())
	var r run
	err := p.do(ctx, call{method: http.MethodGet, path: []string{"dags", args.DagID, "dagRuns", id}}, &r)
	var away *statusError
	switch {
	case errors.As(err, &away) && away.status == http.StatusNotFound:
		return Triggered{}, schema.FailedClean, sdk.Fail("not_begun", "there is no run %s of %s", id, args.DagID)
	case err != nil:
		return Triggered{}, schema.Unknown, fmt.Errorf("look for the run: %w", looked(err, "", ""))
	}
	t := Triggered{Existed: true}
	if t.DagRun, err = p.told(ctx, args.DagID, r); err != nil {
		return Triggered{}, schema.Unknown, err
	}
	failed := t.judge(args)
	switch {
	case failed != nil:
		return t, schema.FailedPartial, failed
	case args.Wait && r.State != "success":
		return t, schema.Running, nil
	}
	return t, schema.Done, nil
}
