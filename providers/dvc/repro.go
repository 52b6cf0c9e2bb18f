package dvc

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const reproDoc = `Runs the stages of the pipeline whose dependencies have changed, by dvc repro, and looks at their status afterwards. Before a stage runs, DVC deletes its outputs.
What the commands of stages touch nobody but their author knows: without effects it runs alone and counts as destructive. Doing it again is harmless where stages are repeatable, as DVC takes them to be.
The way back is git.checkout_paths of dvc.lock, and dvc.checkout.`

type reproArgs struct {
	Targets []string             `runbook:"targets,optional" doc:"Stages, or dvc.yaml files, with all that they depend on; without any all of dvc.yaml."`
	Force   bool                 `runbook:"force" default:"false" doc:"Run the stages although nothing has changed."`
	Effects []sdk.DeclaredEffect `runbook:"effects,optional" doc:"What the commands touch besides the workspace: resources as URLs, such as postgres://db/features, each with the mode read, write (where none is given) or delete, which makes it destructive. An empty list says: nothing."`
}

type reproResult struct {
	sdk.Result
	Ran      []string          `runbook:"ran" doc:"Stages that were run."`
	Stages   int64             `runbook:"stages" doc:"How many."`
	Recorded map[string]string `runbook:"recorded" doc:"MD5 of each output that has changed, by its path."`
	Before   map[string]string `runbook:"recorded_before" doc:"What was recorded of these before; those that were not recorded are left out."`
}

var running = regexp.MustCompile(`(?m)^Running stage '([^']+)':$`)

// stages asks DVC for the stages that would run.
func (r *repository) stages(ctx context.Context, args reproArgs) ([]string, error) {
	out, err := r.run(ctx, false, slices.Concat([]string{"repro", "--dry"}, args.options())...)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, match := range running.FindAllStringSubmatch(string(out), -1) {
		if !slices.Contains(found, match[1]) {
			found = append(found, match[1])
		}
	}
	return found, nil
}

func (a reproArgs) options() []string {
	var options []string
	if a.Force {
		options = append(options, "--force")
	}
	return append(options, a.Targets...)
}

func (a reproArgs) check() *schema.Failure {
	for _, target := range a.Targets {
		if target == "" || strings.HasPrefix(target, "-") || strings.ContainsRune(target, 0) {
			return sdk.InvalidArgument("targets", "%q is no stage", target)
		}
	}
	return nil
}

func (p *provider) repro(ctx context.Context, args reproArgs, call *sdk.Call) (reproResult, error) {
	if f := args.check(); f != nil {
		return reproResult{}, sdk.Clean(f)
	}
	r, err := p.open(call)
	if err != nil {
		return reproResult{}, sdk.Clean(err)
	}
	here := source{repository: r}
	before, err := here.hashes(ctx)
	if err != nil {
		return reproResult{}, sdk.Clean(err)
	}
	todo, err := r.stages(ctx, args)
	if err != nil {
		return reproResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, schema.Impact{"stages": int64(len(todo))}); f != nil {
		return reproResult{}, sdk.Clean(f)
	}
	if err := r.reproduce(ctx, args); err != nil {
		return reproResult{}, err
	}
	left, err := r.changedStages(ctx)
	if err != nil {
		return reproResult{}, err
	}
	for _, s := range left {
		if slices.Contains(todo, s.Stage) && !s.Command { // one that always runs is never done
			f := sdk.Fail("not_reproduced", "dvc repro ended well, and %s", s.String())
			f.Remedy = "see the step's log, and what else writes to the workspace"
			return reproResult{}, f
		}
	}
	after, err := here.hashes(ctx)
	if err != nil {
		return reproResult{}, err
	}
	found := reproResult{Ran: todo, Stages: int64(len(todo)), Recorded: map[string]string{}, Before: map[string]string{}}
	for name, hash := range after {
		if before[name] != hash {
			found.Recorded[name] = hash
			if before[name] != "" {
				found.Before[name] = before[name]
			}
		}
	}
	if len(todo) == 0 {
		found.Result = sdk.OK("no stage had anything to do")
	} else {
		found.Result = sdk.OK("ran %s: %s", phrase.Count(found.Stages, "stage", "stages"), some(todo))
	}
	return found, nil
}

// reproduce runs dvc repro. That it changed nothing is certain only of a failure
// before the first stage began, which DVC announces: what it says afterwards may
// be the stage's own words.
func (r *repository) reproduce(ctx context.Context, args reproArgs) error {
	ended, err := r.try(ctx, true, slices.Concat([]string{"repro"}, args.options())...)
	switch {
	case err != nil || ended.Code == 0:
		return err
	case running.Match(ended.Stdout):
		said := telling(ended.Stderr)
		if at := strings.LastIndex(ended.Stderr, "failed to reproduce"); at >= 0 { // DVC's last word
			said, _, _ = strings.Cut(ended.Stderr[at:], "\n")
		}
		f := sdk.Fail("stage_failed", "dvc repro: %s", said)
		f.Remedy = "see the step's log for what the stage said"
		return f
	}
	f := dvcFailure("repro", ended)
	if isCode(f, "lock_held", "invalid_dvc_file", "no_such_target") {
		return sdk.Clean(f)
	}
	return f
}

// hashes are what is recorded of each output.
func (s source) hashes(ctx context.Context) (map[string]string, error) {
	known, err := s.index(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, out := range known.outputs {
		if (out.object != object{}) {
			found[out.path] = out.object.hash
		}
	}
	return found, nil
}

func (p *provider) describeRepro(args reproArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Command: p.command(slices.Concat([]string{"repro"}, args.options())...),
		Summary: "runs the stages that have something to do",
	}
	if !call.Unknown("targets") {
		d.Failure = args.check()
	}
	if args.Effects == nil {
		d.Undeclared, d.Destructive = true, true
		return d
	}
	var wrong *schema.Failure
	d.Effects, d.Destructive, wrong = sdk.DeclaredEffects(args.Effects)
	d.Effects = append(d.Effects, p.workspaceEffect(schema.Write))
	if d.Failure == nil {
		d.Failure = wrong
	}
	return d
}

func (p *provider) previewRepro(ctx context.Context, args reproArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	r, err := p.open(call)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	todo, err := r.stages(ctx, args)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{Impact: schema.Impact{"stages": int64(len(todo))}, Sample: sample(todo), Summary: "no stage has anything to do"}
	if len(todo) > 0 {
		found.Summary = phrase.Count(int64(len(todo)), "stage", "stages") + " to run: " + some(todo)
	}
	return found, nil
}
