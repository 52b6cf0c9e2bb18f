package dvc

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const fetchDoc = `Brings what the workspace tracks from a remote into the cache, by dvc fetch, and looks at the cache afterwards. The workspace stays as it is.
It is refused where objects are lost, or damaged in the remote, before anything is fetched. Doing it again is harmless.`

type fetchArgs struct {
	Remote    string `runbook:"remote,optional" doc:"Name of the remote; without one the repository's default."`
	AllowLost bool   `runbook:"allow_lost" default:"false" doc:"Fetch what there is even where the remote does not have all: for what another remote completes."`
}

type fetchResult struct {
	sdk.Result
	Remote  string `runbook:"remote" doc:"Name of the remote."`
	Objects int64  `runbook:"objects" doc:"How many objects were fetched."`
	Bytes   int64  `runbook:"bytes" doc:"Their size."`
	Lost    int64  `runbook:"lost" doc:"How many objects are in neither place."`
}

// fetchable refuses what cannot be fetched whole.
func (t *transfer) fetchable(allowLost bool) error {
	switch {
	case t.lost.Objects > 0 && !allowLost:
		return t.objectsLost()
	case t.damagedThere() > 0:
		f := sdk.Fail("objects_damaged", "%s in %s of another size than recorded: %s", phrase.Count(t.damagedThere(), "object is", "objects are"), t.name, some(t.damaged.Files))
		f.Remedy = "pull from another remote, and then dvc.push with repair"
		return f
	}
	return nil
}

// damagedThere counts the objects that the cache does not have and that the
// remote has damaged.
func (t *transfer) damagedThere() int64 {
	var n int64
	seen := map[object]bool{}
	for _, it := range t.found.items {
		_, here := t.found.here[it.object]
		size, there := t.found.there[it.object]
		if !seen[it.object] && !here && there && it.size >= 0 && it.size != size {
			seen[it.object] = true
			n++
		}
	}
	return n
}

func (t *transfer) fetching() schema.Impact {
	return schema.Impact{"objects": t.toFetch.Objects, "bytes": t.toFetch.Bytes}
}

func (p *provider) fetch(ctx context.Context, args fetchArgs, call *sdk.Call) (fetchResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	defer t.close()
	if err := t.fetchable(args.AllowLost); err != nil {
		return fetchResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, t.fetching()); f != nil {
		return fetchResult{}, sdk.Clean(f)
	}
	found := fetchResult{Remote: t.name, Objects: t.toFetch.Objects, Bytes: t.toFetch.Bytes, Lost: t.lost.Objects}
	if found.Objects > 0 {
		_, failed := t.run(ctx, true, append([]string{"fetch", "--remote", t.name}, t.found.targets()...)...)
		if failed != nil && (ctx.Err() != nil || isCode(failed, "lock_held")) {
			return fetchResult{}, failed
		}
		left, err := t.stillToFetch(ctx)
		switch {
		case err != nil:
			return fetchResult{}, err
		case left == found.Objects && failed != nil:
			return fetchResult{}, sdk.Clean(failed)
		case left > 0 && failed != nil:
			return fetchResult{}, failed
		case left > 0:
			f := sdk.Fail("not_fetched", "dvc fetch ended well, and %s not in the cache", phrase.Count(left, "object is", "objects are"))
			f.Remedy = "see the step's log"
			return fetchResult{}, f
		}
	}
	found.Result = sdk.OK("fetched %s, %s, from %s", objects(found.Objects), phrase.Size(found.Bytes), t.name)
	if found.Objects == 0 {
		found.Result = sdk.OK("the cache has all that %s has", t.name)
	}
	if found.Lost > 0 {
		found.Summary += fmt.Sprintf("; %s lost", phrase.Count(found.Lost, "object is", "objects are"))
	}
	return found, nil
}

// stillToFetch counts what is in the remote and not in the cache.
func (t *transfer) stillToFetch(ctx context.Context) (int64, error) {
	after, err := t.compare(ctx, t.name, t.remote)
	if err != nil {
		return 0, fmt.Errorf("look at what has arrived: %w", err)
	}
	return after.parts().toFetch.Objects, nil
}

func (p *provider) describeFetch(args fetchArgs, call *sdk.Call) sdk.Description {
	return sdk.Description{
		Effects: []schema.Effect{p.cacheEffect(schema.Write), {Resource: p.unseen(args.Remote, call), Mode: schema.Read}},
		Command: p.command(append([]string{"fetch"}, remoteOption(args.Remote, call)...)...),
		Summary: "fetches what the workspace tracks into the cache",
	}
}

func (p *provider) previewFetch(ctx context.Context, args fetchArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	defer t.close()
	if err := t.fetchable(args.AllowLost); err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact: t.fetching(), Sample: sample(t.toFetch.Files),
		Effects: []schema.Effect{t.cached(schema.Write), t.effect(t.name, schema.Read)},
		Summary: fmt.Sprintf("%s, %s, to fetch from %s", objects(t.toFetch.Objects), phrase.Size(t.toFetch.Bytes), t.name),
	}, nil
}
