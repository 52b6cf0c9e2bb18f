package minio

import (
	"context"
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const transferDoc = `
What is there already, with the same content, is not copied again: by its size and ETag where that proves it, else by reading both. Each object that is copied is
compared afterwards, by size and hash, with what was read. Nothing is written over unless overwrite says so, and not even then where somebody else changed it meanwhile.
Limits are kept: more is refused before anything is done. Doing it again is harmless.`

const mirrorDoc = `Makes one place hold what another holds: a bucket or a part of one, or a folder, on either side. With remove, what the source does not hold is removed from
the target, which is destructive; a bucket that keeps versions keeps those.` + transferDoc

const copyDoc = `Copies one object, or all under a prefix, or a folder: between buckets, also of two servers, or between a bucket and a folder. With older_than it copies only
what was written longer ago, to archive it.` + transferDoc

type mirrorArgs struct {
	From       Place `runbook:"from" doc:"What to mirror."`
	To         Place `runbook:"to" doc:"What is to be like it. A folder is made where it is missing; a bucket must exist."`
	Overwrite  bool  `runbook:"overwrite" default:"false" doc:"Write over what is there with another content, which is destructive; else that is a failure, and nothing is done."`
	Remove     bool  `runbook:"remove" default:"false" doc:"Remove what the source does not hold."`
	MinObjects int64 `runbook:"min_objects" default:"1" doc:"The fewest objects that the source must hold: one that was emptied by mistake is not mirrored."`
}

type copyArgs struct {
	From       Place          `runbook:"from" doc:"What to copy."`
	To         Place          `runbook:"to" doc:"Where to. A folder is made where it is missing; a bucket must exist."`
	Overwrite  bool           `runbook:"overwrite" default:"false" doc:"Write over what is there with another content, which is destructive; else that is a failure, and nothing is done."`
	OlderThan  *time.Duration `runbook:"older_than" doc:"Copy only what was written longer ago, by this machine's clock."`
	MinObjects int64          `runbook:"min_objects" default:"1" doc:"The fewest objects that the source must hold, whatever their age."`
}

type transferResult struct {
	sdk.Result
	Objects     int64 `runbook:"objects" doc:"How many objects were copied, and verified."`
	Bytes       int64 `runbook:"bytes" doc:"Their sizes, added up."`
	Overwritten int64 `runbook:"overwritten" doc:"How many of them took the place of another content."`
	Removed     int64 `runbook:"removed" doc:"How many the target held and the source did not, and were removed."`
	Unchanged   int64 `runbook:"unchanged" doc:"How many were there already with the same content."`
}

func (args mirrorArgs) rules() transferRules {
	return transferRules{mirrors: true, overwrite: args.Overwrite, remove: args.Remove, min: args.MinObjects}
}

func (args copyArgs) rules() transferRules {
	rules := transferRules{overwrite: args.Overwrite, min: args.MinObjects}
	if args.OlderThan != nil {
		before := time.Now().Add(-*args.OlderThan)
		rules.only = func(t thing) bool { return t.at.Before(before) }
	}
	return rules
}

func (p *provider) checkMirror(args mirrorArgs) *schema.Failure {
	if args.From.Object != "" {
		return sdk.InvalidArgument("from", "from: minio.copy copies one object; a mirror is of a bucket, a prefix or a directory")
	}
	return p.ends(args.From, args.To)
}

func (p *provider) mirror(ctx context.Context, args mirrorArgs, call *sdk.Call) (transferResult, error) {
	if f := p.checkMirror(args); f != nil {
		return transferResult{}, sdk.Clean(f)
	}
	return p.transfer(ctx, args.From, args.To, args.rules(), call)
}

func (p *provider) copy(ctx context.Context, args copyArgs, call *sdk.Call) (transferResult, error) {
	if f := p.ends(args.From, args.To); f != nil {
		return transferResult{}, sdk.Clean(f)
	}
	return p.transfer(ctx, args.From, args.To, args.rules(), call)
}

func (p *provider) transfer(ctx context.Context, from, to Place, rules transferRules, call *sdk.Call) (transferResult, error) {
	t, err := p.think(ctx, from, to, rules)
	if err != nil {
		return transferResult{}, sdk.Clean(err)
	}
	defer t.close()
	if err := t.within(call); err != nil {
		return transferResult{}, sdk.Clean(err)
	}
	result, err := t.run(ctx, call)
	if err != nil {
		return transferResult{}, err
	}
	result.Result = sdk.OK("copied %s, %s, from %s to %s; %d were there already", phrase.Count(result.Objects, "object", "objects"), phrase.Size(result.Bytes), from, to, result.Unchanged)
	if result.Removed > 0 {
		result.Summary += fmt.Sprintf("; removed %s", phrase.Count(result.Removed, "other", "others"))
	}
	return result, nil
}

func (p *provider) previewMirror(ctx context.Context, args mirrorArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.checkMirror(args); f != nil {
		return sdk.PreviewResult{}, f
	}
	return p.previewTransfer(ctx, args.From, args.To, args.rules())
}

func (p *provider) previewCopy(ctx context.Context, args copyArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.ends(args.From, args.To); f != nil {
		return sdk.PreviewResult{}, f
	}
	return p.previewTransfer(ctx, args.From, args.To, args.rules())
}

// previewTransfer also tells whether anything there would be lost at all.
func (p *provider) previewTransfer(ctx context.Context, from, to Place, rules transferRules) (sdk.PreviewResult, error) {
	t, err := p.think(ctx, from, to, rules)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	defer t.close()
	impact := t.impact()
	destroys := impact["overwritten"]+impact["removed"] > 0
	preview := sdk.PreviewResult{Impact: impact, Destructive: &destroys, Sample: t.sample(), Effects: p.touches(from, to, destroys)}
	preview.Summary = fmt.Sprintf("copies %s, %s, from %s to %s; %d are there already", phrase.Count(impact["objects"], "object", "objects"), phrase.Size(t.bytes), from, to, t.same)
	if n := impact["overwritten"]; n > 0 {
		preview.Summary += fmt.Sprintf("; writes over %d", n)
	}
	if n := impact["removed"]; n > 0 {
		preview.Summary += fmt.Sprintf("; removes %s", phrase.Count(n, "other", "others"))
	}
	return preview, nil
}

// sample names first what would be lost.
func (t *transfer) sample() []string {
	var names []string
	say := func(format, name string) {
		if len(names) < sampled {
			names = append(names, fmt.Sprintf(format, name))
		}
	}
	for _, one := range t.extra {
		say("- %s", one.name)
	}
	for _, one := range t.tasks {
		if one.old != nil {
			say("~ %s", one.name)
		}
	}
	for _, one := range t.tasks {
		if one.old == nil {
			say("+ %s", one.name)
		}
	}
	return names
}
