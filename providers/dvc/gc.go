package dvc

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const gcDoc = `Deletes what the cache, and with remote also that remote, holds of versions that are not kept, by dvc gc, and looks afterwards. It is always destructive: what only the cache had is gone for good.
It is refused before anything is deleted where the list of a kept folder is not in the cache: DVC would take its files for unused; and where the cache lies outside of the repository, since others may share it, unless shared says that nobody does.
Doing it again is harmless.`

type gcArgs struct {
	Keep   string `runbook:"keep" doc:"Whose data stay: workspace, all_branches, all_tags or all_commits; the workspace's always does."`
	Remote string `runbook:"remote,optional" doc:"Delete from this remote too."`
	Shared bool   `runbook:"shared" default:"false" doc:"The cache lies outside of the repository, and no other repository uses it."`
}

type gcResult struct {
	sdk.Result
	Objects       int64 `runbook:"objects" doc:"How many objects were deleted, in the cache and the remote together."`
	Bytes         int64 `runbook:"bytes" doc:"Their size."`
	CacheObjects  int64 `runbook:"cache_objects" doc:"How many of them were the cache's."`
	RemoteObjects int64 `runbook:"remote_objects" doc:"How many were the remote's."`
}

// keeps are the values of keep, and the options of DVC for them.
func keeps() map[string]string {
	return map[string]string{"workspace": "--workspace", "all_branches": "--all-branches", "all_tags": "--all-tags", "all_commits": "--all-commits"}
}

func (a gcArgs) check() *schema.Failure {
	if keeps()[a.Keep] == "" {
		return sdk.InvalidArgument("keep", "keep is %q, and not workspace, all_branches, all_tags or all_commits", a.Keep)
	}
	return nil
}

// collecting is what a gc would delete.
type collecting struct {
	*repository
	name            string
	remote          remoteStore // nil: the cache alone
	kept            map[object]bool
	inCache, inThat map[object]int64
}

func (c collecting) impact() schema.Impact {
	impact := schema.Impact{"objects": int64(len(c.inCache) + len(c.inThat)), "bytes": 0}
	for _, unused := range []map[object]int64{c.inCache, c.inThat} {
		for _, size := range unused {
			impact["bytes"] += size
		}
	}
	return impact
}

func (p *provider) collecting(ctx context.Context, args gcArgs, call *sdk.Call) (*collecting, error) {
	if f := args.check(); f != nil {
		return nil, f
	}
	r, err := p.open(call)
	if err != nil {
		return nil, err
	}
	c := &collecting{repository: r, kept: map[object]bool{}}
	if inside, err := filepath.Rel(r.dir, r.settings.cache); (err != nil || !filepath.IsLocal(inside)) && !args.Shared {
		f := sdk.Fail("shared_cache", "the cache %s lies outside of the repository: what others keep there would be deleted too", r.settings.cache)
		f.Argument, f.Remedy = "shared", "set shared where no other repository uses it"
		return nil, f
	}
	if args.Remote != "" {
		if c.name, err = r.settings.remoteName(args.Remote); err != nil {
			return nil, err
		}
		if c.remote, err = r.store(c.name); err != nil {
			return nil, err
		}
	}
	if err := c.keep(ctx, args.Keep); err != nil {
		return nil, err
	}
	if c.inCache, err = c.unused(ctx, r.cache()); err != nil || c.remote == nil {
		return c, err
	}
	c.inThat, err = c.unused(ctx, c.remote)
	return c, err
}

// keep finds all objects that some version which is kept consists of.
func (c *collecting) keep(ctx context.Context, what string) error {
	sources := []source{{repository: c.repository}}
	commits, err := c.commits(ctx, what)
	if err != nil {
		return err
	}
	for _, commit := range commits {
		sources = append(sources, source{c.repository, commit})
	}
	seen := map[object]bool{} // outputs of many commits
	for _, from := range sources {
		known, err := from.index(ctx)
		if err != nil {
			return err
		}
		one := &comparison{}
		for _, out := range known.outputs {
			if (out.object != object{}) && !seen[out.object] {
				seen[out.object] = true
				one.outputs = append(one.outputs, out)
			}
		}
		if err := one.expand(ctx, c.cache(), nil); err != nil {
			return err
		}
		for _, l := range one.lists {
			if !l.known {
				f := sdk.Fail("list_missing", "the list of the files of %s (%s) is not in the cache: DVC would take them for unused", l.output.path, l.output.object.hash)
				f.Remedy = "dvc.fetch brings it, where a remote has it"
				return f
			}
		}
		for _, it := range one.items {
			c.kept[it.object] = true
		}
	}
	return nil
}

// commits are those whose data stay.
func (c *collecting) commits(ctx context.Context, what string) ([]string, error) {
	var args []string
	switch what {
	case "all_branches":
		args = []string{"for-each-ref", "--format=%(objectname)", "refs/heads"}
	case "all_tags":
		args = []string{"for-each-ref", "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", "refs/tags"}
	case "all_commits":
		args = []string{"rev-list", "--branches", "--tags", "HEAD"}
	default:
		return nil, nil
	}
	ended, err := c.git(ctx, "", args...)
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, gitFailure(ended)
	}
	return strings.Fields(string(ended.Stdout)), nil
}

// unused is what a store holds of nothing that is kept.
func (c *collecting) unused(ctx context.Context, from lister) (map[object]int64, error) {
	all, err := from.list(ctx)
	if err != nil {
		return nil, err
	}
	for o := range all {
		if c.kept[o] {
			delete(all, o)
		}
	}
	return all, nil
}

func (p *provider) gc(ctx context.Context, args gcArgs, call *sdk.Call) (gcResult, error) {
	c, err := p.collecting(ctx, args, call)
	if err != nil {
		return gcResult{}, sdk.Clean(err)
	}
	defer c.close()
	impact := c.impact()
	if f := overLimit(call, impact); f != nil {
		return gcResult{}, sdk.Clean(f)
	}
	found := gcResult{Objects: impact["objects"], Bytes: impact["bytes"], CacheObjects: int64(len(c.inCache)), RemoteObjects: int64(len(c.inThat))}
	if found.Objects == 0 {
		found.Result = sdk.OK("everything that is held is kept")
		return found, nil
	}
	if _, err := c.run(ctx, true, args.command()...); err != nil {
		if isCode(err, "lock_held") {
			err = sdk.Clean(err)
		}
		return gcResult{}, err
	}
	if err := c.collected(ctx); err != nil {
		return gcResult{}, err
	}
	found.Result = sdk.OK("deleted %s, %s", objects(found.Objects), phrase.Size(found.Bytes))
	return found, nil
}

func (a gcArgs) command() []string {
	command := []string{"gc", "--force", keeps()[a.Keep]}
	if a.Remote != "" {
		command = append(command, "--cloud", "--remote", a.Remote)
	}
	return command
}

// collected looks whether what is unused has gone.
func (c *collecting) collected(ctx context.Context) error {
	left, err := c.unused(ctx, c.cache())
	if err == nil && c.remote != nil {
		var there map[object]int64
		there, err = c.unused(ctx, c.remote)
		for o, size := range there {
			left[o] = size
		}
	}
	if err != nil {
		return errors.Join(errors.New("look at what is left"), err)
	}
	n := 0
	for o := range left {
		_, cached := c.inCache[o]
		_, there := c.inThat[o]
		if cached || there { // what came meanwhile is somebody's
			n++
		}
	}
	if n == 0 {
		return nil
	}
	f := sdk.Fail("not_collected", "dvc gc ended well, and %s still there", phrase.Count(int64(n), "object is", "objects are"))
	f.Remedy = "see the step's log"
	return f
}

func (p *provider) describeGC(args gcArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: true, Effects: []schema.Effect{p.cacheEffect(schema.Delete)},
		Summary: "deletes what the cache holds of versions that are not kept",
	}
	if args.Remote != "" || call.Unknown("remote") {
		d.Effects = append(d.Effects, schema.Effect{Resource: p.unseen(args.Remote, call), Mode: schema.Delete})
		d.Summary = "deletes what cache and remote hold of versions that are not kept"
	}
	if !call.Unknown("keep") {
		if d.Failure = args.check(); d.Failure == nil {
			d.Command = p.command(args.command()...)
		}
	}
	return d
}

func (p *provider) previewGC(ctx context.Context, args gcArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	c, err := p.collecting(ctx, args, call)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	defer c.close()
	impact := c.impact()
	found := sdk.PreviewResult{
		Impact: impact, Effects: []schema.Effect{c.cached(schema.Delete)},
		Summary: fmt.Sprintf("%s to delete, %s", objects(impact["objects"]), phrase.Size(impact["bytes"])),
	}
	if c.remote != nil {
		found.Effects = append(found.Effects, c.effect(c.name, schema.Delete))
	}
	var names []string
	for _, unused := range []map[object]int64{c.inCache, c.inThat} {
		for o := range unused {
			names = append(names, o.path())
		}
	}
	slices.Sort(names)
	found.Sample = sample(names)
	return found, nil
}
