package git

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const fetchDoc = `Brings the remote's branches, and the tags on them, into the repository. Branches of its own, HEAD and the work tree stay as they are.
Doing it again is harmless.`

type fetchArgs struct {
	Where
	Remote string `runbook:"remote" default:"origin" doc:"Name of the remote, as the repository's configuration has it."`
	Prune  bool   `runbook:"prune" default:"false" doc:"Forget the tracking branches of branches that the remote has no more."`
}

type fetchResult struct {
	sdk.Result
	HeadBefore string  `runbook:"head_before" doc:"Commit of HEAD, which a fetch leaves alone; empty where there is none."`
	Refs       []moved `runbook:"refs" doc:"Refs that were changed."`
}

// moved is a ref that points elsewhere now.
type moved struct {
	Ref    string `runbook:"ref" doc:"Full name, such as refs/remotes/origin/main."`
	Before string `runbook:"before" doc:"What it pointed to; empty where it is new."`
	After  string `runbook:"after" doc:"What it points to; empty where it is gone."`
}

func (p *provider) fetch(ctx context.Context, args fetchArgs, call *sdk.Call) (fetchResult, error) {
	r, err := p.open(ctx, call, args.Where, false)
	if err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	m, err := r.remote(ctx, args.Remote, false)
	if err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	var found fetchResult
	if found.HeadBefore, _, err = r.head(ctx); err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	before, err := r.refs(ctx, "refs/remotes", "refs/tags")
	if err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	if _, err := m.over(ctx, slices.Concat([]string{"fetch", "--quiet", "--no-recurse-submodules", "--no-auto-maintenance"}, pruning(args.Prune), []string{args.Remote})...); err != nil {
		look, stop := afterwards(ctx)
		defer stop()
		now, failed := r.refs(look, "refs/remotes", "refs/tags")
		if failed == nil && maps.Equal(before, now) {
			return fetchResult{}, sdk.Clean(err)
		}
		return fetchResult{}, err
	}
	after, err := r.refs(ctx, "refs/remotes", "refs/tags")
	if err != nil {
		return fetchResult{}, err
	}
	found.Refs = differing(before, after)
	found.Result = sdk.OK("%s of %s changed", phrase.Count(int64(len(found.Refs)), "ref", "refs"), args.Remote)
	if len(found.Refs) == 0 {
		found.Result = sdk.OK("nothing new from %s", args.Remote)
	}
	return found, nil
}

// afterwards gives a look at what an action that was cut off has done a little
// time of its own.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
}

func pruning(prune bool) []string {
	if prune {
		return []string{"--prune"}
	}
	return []string{"--no-prune"}
}

// refs are the refs under some prefixes, and what each points to; one that only
// stands for another, such as origin/HEAD, is left out.
func (r *repository) refs(ctx context.Context, prefixes ...string) (map[string]string, error) {
	lines, err := r.lines(ctx, append([]string{"for-each-ref", "--format=%(objectname) %(refname) %(symref)"}, prefixes...)...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, line := range lines {
		if words := strings.Fields(line); len(words) == 2 {
			found[words[1]] = words[0]
		}
	}
	return found, nil
}

func differing(before, after map[string]string) []moved {
	var found []moved
	for ref, now := range after {
		if before[ref] != now {
			found = append(found, moved{ref, before[ref], now})
		}
	}
	for ref, was := range before {
		if after[ref] == "" {
			found = append(found, moved{ref, was, ""})
		}
	}
	slices.SortFunc(found, func(a, b moved) int { return strings.Compare(a.Ref, b.Ref) })
	return found
}

func (p *provider) describeFetch(args fetchArgs, call *sdk.Call) sdk.Description {
	tracking := []string{p.dir(args.Where), ".git", "refs", "remotes"}
	if !call.Unknown("remote") {
		tracking = append(tracking, args.Remote)
	}
	d := p.description(args.Where, call, sdk.Description{
		Effects: []schema.Effect{
			{Resource: fileURL(tracking...), Mode: schema.Write},
			{Resource: p.unseen(args.Where, args.Remote, call), Mode: schema.Read},
		},
		Command: slices.Concat([]string{"fetch"}, pruning(args.Prune), []string{args.Remote}),
		Summary: "fetches from " + args.Remote,
	})
	if !call.Unknown("remote") {
		d.Failure = badRemote(args.Remote)
	}
	return d
}

func (p *provider) previewFetch(ctx context.Context, args fetchArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	m, err := r.remote(ctx, args.Remote, false)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	heads, err := m.heads(ctx)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	tracking := "refs/remotes/" + args.Remote + "/"
	known, err := r.refs(ctx, tracking)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	there := map[string]string{}
	for branch, commit := range heads {
		there[tracking+branch] = commit
	}
	if !args.Prune {
		for ref, commit := range known {
			if there[ref] == "" {
				there[ref] = commit
			}
		}
	}
	would := differing(known, there)
	found := sdk.PreviewResult{
		Impact:  schema.Impact{"refs": int64(len(would))},
		Summary: fmt.Sprintf("%s of %s to change, tags not counted", phrase.Count(int64(len(would)), "branch", "branches"), args.Remote),
	}
	for _, ref := range would[:min(len(would), sampled)] {
		found.Sample = append(found.Sample, fmt.Sprintf("%s: %s → %s", ref.Ref, orNothing(ref.Before), orNothing(ref.After)))
	}
	if !p.config.Hooks {
		found.Effects = []schema.Effect{{Resource: fileURL(r.dir, ".git", "refs", "remotes", args.Remote), Mode: schema.Write}, m.effect("", schema.Read)}
	}
	return found, nil
}

// sampled bounds how much of what would be changed a preview shows.
const sampled = 20

func orNothing(commit string) string {
	if commit == "" {
		return "nothing"
	}
	return short(commit)
}
