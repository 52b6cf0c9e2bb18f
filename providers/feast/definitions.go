package feast

import (
	"context"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const planDoc = "What apply would change: the repository's definitions against the registry. Ok where nothing differs. It runs the definitions' Python code, as Feast does. What Feast's own plan calls an update of every view that was ever materialized is left out."

const applyDoc = "Registers what the repository defines. Materialized intervals of views that stay are kept; a registry that was lost comes back without any. Objects that are no longer defined are deleted, with their online values, only where allow_deletions says so."

// PlanArgs is what plan takes.
type PlanArgs struct {
	SkipSourceValidation bool `runbook:"skip_source_validation" default:"false" doc:"Do not look whether the sources' tables exist: for when the offline store is away."`
}

// Plan is the answer of plan.
type Plan struct {
	sdk.Result
	Exists  bool     `runbook:"exists" doc:"Whether there is a registry."`
	Changes []Change `runbook:"changes" doc:"What apply would change."`
	Created int      `runbook:"created" doc:"How many objects it would create."`
	Updated int      `runbook:"updated" doc:"How many it would update."`
	Deleted int      `runbook:"deleted" doc:"How many it would delete."`
}

// Change is one object that differs.
type Change struct {
	Type       string   `runbook:"type" doc:"Kind of object, such as feature view." json:"type"`
	Name       string   `runbook:"name" doc:"Its name." json:"name"`
	Change     string   `runbook:"change" doc:"create, update or delete." json:"change"`
	Properties []string `runbook:"properties" doc:"What is different about it." json:"properties"`
}

// String is the change as a plan shows it.
func (c Change) String() string {
	text := c.Change + " " + c.Type + " " + c.Name
	if len(c.Properties) > 0 {
		text += " (" + strings.Join(c.Properties, ", ") + ")"
	}
	return text
}

type planAnswer struct {
	Exists  bool     `json:"exists"`
	Changes []Change `json:"changes"`
	Online  string   `json:"online"`
}

func (p *provider) askPlan(ctx context.Context, skip bool) (planAnswer, Plan, error) {
	var seen planAnswer
	if err := p.checked.ask(ctx, "plan", map[string]any{"skip_source_validation": skip}, &seen); err != nil {
		return seen, Plan{}, err
	}
	found := Plan{Exists: seen.Exists, Changes: seen.Changes}
	for _, change := range seen.Changes {
		switch change.Change {
		case "create":
			found.Created++
		case "delete":
			found.Deleted++
		default:
			found.Updated++
		}
	}
	return seen, found, nil
}

// summary counts the changes.
func (p Plan) summary() string {
	return fmt.Sprintf("%d to create, %d to update, %d to delete", p.Created, p.Updated, p.Deleted)
}

func (p *provider) plan(ctx context.Context, args PlanArgs, _ *sdk.Call) (Plan, error) {
	_, found, err := p.askPlan(ctx, args.SkipSourceValidation)
	switch {
	case err != nil:
		return Plan{}, err
	case !found.Exists:
		found.Result = sdk.NotOK("there is no registry: %s", found.summary())
	case len(found.Changes) > 0:
		found.Result = sdk.NotOK("the registry differs from the definitions: %s", found.summary())
	default:
		found.Result = sdk.OK("the registry holds what the repository defines")
	}
	return found, nil
}

// ApplyArgs is what apply takes.
type ApplyArgs struct {
	AllowDeletions       bool `runbook:"allow_deletions" default:"false" doc:"Delete what is no longer defined, with its online values; without it such a repository is refused."`
	SkipSourceValidation bool `runbook:"skip_source_validation" default:"false" doc:"Do not look whether the sources' tables exist."`
}

// Applied is the answer of apply.
type Applied struct {
	sdk.Result
	Changes           []Change `runbook:"changes" doc:"What was changed."`
	NeverMaterialized []string `runbook:"never_materialized" doc:"Online views without a recorded materialization: their values need feast.materialize."`
}

func (p *provider) describeApply(args ApplyArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: p.resources().effects(schema.Write, "", schema.Read),
		Summary: "registers what the repository defines",
		Command: p.feast("apply"),
	}
	if args.AllowDeletions || call.Unknown("allow_deletions") {
		d.Destructive = true
		d.Effects = p.resources().effects(schema.Delete, schema.Delete, schema.Read)
	}
	if args.SkipSourceValidation {
		d.Command = append(d.Command, "--skip-source-validation")
	}
	return d
}

func (p *provider) previewApply(ctx context.Context, args ApplyArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	seen, found, err := p.askPlan(ctx, args.SkipSourceValidation)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	destructive := found.Deleted > 0
	if destructive && !args.AllowDeletions {
		f := sdk.Fail("would_delete", "%d objects are in the registry and no longer in the repository", found.Deleted)
		f.Remedy = "bring their definitions back, or set allow_deletions"
		return sdk.PreviewResult{}, f
	}
	modes := [2]schema.Mode{schema.Write, ""}
	if destructive {
		modes = [2]schema.Mode{schema.Delete, schema.Delete}
	}
	preview := sdk.PreviewResult{
		Impact:      schema.Impact{"changes": int64(len(found.Changes)), "deletions": int64(found.Deleted)},
		Summary:     found.summary(),
		Effects:     p.resources().seen(seen.Online, "").effects(modes[0], modes[1], schema.Read),
		Destructive: &destructive,
	}
	for _, change := range found.Changes {
		preview.Sample = append(preview.Sample, change.String())
	}
	return preview, nil
}

func (p *provider) apply(ctx context.Context, args ApplyArgs, call *sdk.Call) (Applied, error) {
	given := map[string]any{
		"allow_deletions": args.AllowDeletions, "skip_source_validation": args.SkipSourceValidation,
	}
	for _, unit := range []string{"changes", "deletions"} {
		if most, ok := call.Limit(unit); ok {
			given["limit_"+unit] = most
		}
	}
	var done struct {
		Changes           []Change `json:"changes"`
		NeverMaterialized []string `json:"never_materialized"`
	}
	if err := p.act(ctx, call, "apply", given, &done); err != nil {
		return Applied{}, err
	}
	a := Applied{Changes: done.Changes, NeverMaterialized: done.NeverMaterialized}
	a.Result = sdk.OK("the registry holds what the repository defines; %d objects were changed", len(a.Changes))
	if len(a.NeverMaterialized) > 0 {
		a.Summary += "; never materialized: " + strings.Join(a.NeverMaterialized, ", ")
	}
	return a, nil
}
