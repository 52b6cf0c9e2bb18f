package dvc

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pushDoc = `Pushes what the workspace tracks to a remote, by dvc push, and looks at the remote afterwards, object by object.
Before anything is pushed it is refused where objects are lost, and where the remote holds the list of a folder without some of its files: DVC takes such a folder for complete, and never pushes them. With repair those are uploaded, and after them the lists that name them; so is what is damaged there.
Doing it again is harmless. A remote keeps what is no longer used, so there is nothing to take back.`

type pushArgs struct {
	Remote    string `runbook:"remote,optional" doc:"Name of the remote; without one the repository's default."`
	Repair    bool   `runbook:"repair" default:"false" doc:"Upload what DVC would skip, since the list of its folder is in the remote, and what is damaged in the remote."`
	AllowLost bool   `runbook:"allow_lost" default:"false" doc:"Push what there is even where some objects are in neither place."`
}

type pushResult struct {
	sdk.Result
	Remote   string `runbook:"remote" doc:"Name of the remote."`
	Objects  int64  `runbook:"objects" doc:"How many objects were pushed."`
	Bytes    int64  `runbook:"bytes" doc:"Their size."`
	Repaired int64  `runbook:"repaired" doc:"How many of them DVC would have skipped."`
	Lost     int64  `runbook:"lost" doc:"How many objects are in neither place."`
	HeldBack int64  `runbook:"held_back" doc:"How many folders' lists were not pushed, since they name a lost file."`
}

// transfer is what a push, a fetch or a pull starts from.
type transfer struct {
	source
	name   string
	remote remoteStore
	found  *comparison
	parts
}

func (p *provider) transfer(ctx context.Context, call *sdk.Call, remote string) (*transfer, error) {
	r, err := p.open(call)
	if err != nil {
		return nil, err
	}
	t := &transfer{source: source{repository: r}}
	if t.name, err = r.settings.remoteName(remote); err != nil {
		return nil, err
	}
	if t.remote, err = r.store(t.name); err != nil {
		return nil, err
	}
	if t.found, err = t.compare(ctx, t.name, t.remote); err != nil {
		r.close()
		return nil, err
	}
	t.parts = t.found.parts()
	return t, nil
}

// targets are the outputs for a command line, where some others must be left
// out: they go elsewhere, or nowhere.
func (c *comparison) targets() []string {
	if c.elsewhere == 0 && len(c.unrecorded) == 0 {
		return nil
	}
	var names []string
	for _, out := range c.outputs {
		names = append(names, out.path)
	}
	return names
}

// objectsLost refuses what is in neither place.
func (t *transfer) objectsLost() *schema.Failure {
	f := sdk.Fail("objects_lost", "%s, %s, neither in the cache nor in %s: %s", phrase.Count(t.lost.Objects, "object is", "objects are"), phrase.Size(t.lost.Bytes), t.name, some(t.lost.Files))
	f.Remedy = "bring them back from another remote with dvc.pull, or from the workspace with dvc commit: dvc.remote_status tells which lie there"
	return f
}

// skipped are the items that DVC would not push: the list of their folder is in
// the remote, or something of another size is.
func (t *transfer) skipped() []item {
	var found []item
	for _, it := range t.pushing {
		_, there := t.found.there[it.object]
		if it.in >= 0 {
			_, listed := t.found.there[t.found.lists[it.in].output.object]
			there = there || listed
		}
		if there {
			found = append(found, it)
		}
	}
	return found
}

// pushable is what a push would do and what of that DVC would skip, or why it
// would not be done.
func (t *transfer) pushable(args pushArgs) (schema.Impact, []item, error) {
	skipped := t.skipped()
	impact := schema.Impact{"objects": int64(len(t.pushing)), "bytes": 0}
	for _, it := range t.pushing {
		impact["bytes"] += t.found.here[it.object]
	}
	switch {
	case t.lost.Objects > 0 && !args.AllowLost:
		return impact, nil, t.objectsLost()
	case len(skipped) > 0 && !args.Repair:
		f := sdk.Fail("incomplete_directory", "%s of folders whose list %s has, or damaged there: dvc push takes them for pushed: %s", phrase.Count(int64(len(skipped)), "file is missing", "files are missing"), t.name, some(paths(skipped)))
		f.Argument, f.Remedy = "repair", "set repair"
		return impact, nil, f
	}
	return impact, skipped, nil
}

func paths(items []item) []string {
	var names []string
	for _, it := range items[:min(len(items), shownFiles)] {
		names = append(names, it.path)
	}
	return names
}

func (p *provider) push(ctx context.Context, args pushArgs, call *sdk.Call) (pushResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return pushResult{}, sdk.Clean(err)
	}
	defer t.close()
	impact, skipped, err := t.pushable(args)
	if err != nil {
		return pushResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, impact); f != nil {
		return pushResult{}, sdk.Clean(f)
	}
	if err := t.free(); err != nil {
		return pushResult{}, sdk.Clean(err)
	}
	found := pushResult{Remote: t.name, Objects: impact["objects"], Bytes: impact["bytes"], Repaired: int64(len(skipped)), Lost: t.lost.Objects, HeldBack: int64(len(t.heldBack))}
	if err := t.upload(ctx, skipped); err != nil {
		return pushResult{}, err
	}
	var failed error
	if len(t.pushing) > len(skipped) {
		_, failed = t.run(ctx, true, append([]string{"push", "--remote", t.name}, t.found.targets()...)...)
	}
	if ctx.Err() != nil && failed != nil {
		return pushResult{}, failed
	}
	after, err := t.compare(ctx, t.name, t.remote)
	if err != nil {
		return pushResult{}, fmt.Errorf("look at what has arrived: %w", err)
	}
	left := after.parts()
	switch missing := int64(len(left.pushing)); {
	case missing > 0 && failed != nil:
		return pushResult{}, t.nothingDone(left, failed)
	case missing > 0:
		f := sdk.Fail("not_pushed", "dvc push ended well, and %s not in %s: %s", phrase.Count(missing, "object is", "objects are"), t.name, some(paths(left.pushing)))
		f.Remedy = "set repair, or see what else writes to the remote"
		return pushResult{}, t.nothingDone(left, f)
	case len(t.pushing) == 0:
		found.Result = sdk.OK("%s has all that the cache holds", t.name)
	default:
		found.Result = sdk.OK("pushed %s, %s, to %s", objects(found.Objects), phrase.Size(found.Bytes), t.name)
	}
	if found.Lost > 0 {
		found.Summary += fmt.Sprintf("; %s lost", phrase.Count(found.Lost, "object is", "objects are"))
	}
	if found.HeldBack > 0 {
		found.Summary += fmt.Sprintf("; %s held back", phrase.Count(found.HeldBack, "list that names them is", "lists that name them are"))
	}
	return found, nil
}

// nothingDone says of a failure that it is clean where nothing has arrived.
func (t *transfer) nothingDone(left parts, failed error) error {
	if len(left.pushing) == len(t.pushing) {
		return sdk.Clean(failed)
	}
	return failed
}

// upload puts objects into the remote, each looked at before: the files of
// folders first, then the lists that name them.
func (t *transfer) upload(ctx context.Context, items []item) error {
	var files, lists []item
	for _, it := range items {
		if it.isDir() {
			lists = append(lists, it)
		} else {
			files = append(files, it)
		}
	}
	var done atomic.Int64
	for _, some := range [][]item{files, lists} {
		failures := batch.Run(ctx, 8, some, func(it item) error {
			file := t.cache().file(it.object)
			if err := whole(ctx, file, it); err != nil {
				return err
			}
			if err := t.remote.write(ctx, it.object, file); err != nil {
				return err
			}
			t.call.Progress(float64(done.Add(1)), float64(len(items)), "uploaded %s", it.path)
			return nil
		})
		if len(failures) > 0 {
			state, worst := batch.Worst(failures, done.Load() > 0)
			return batch.Ended(ended(ctx, worst, "uploading to "+t.name), state)
		}
	}
	return nil
}

// whole refuses an object of the cache that is not what its name says.
func whole(ctx context.Context, file string, it item) error {
	if it.legacy {
		return nil // its name is that of the text with other line ends
	}
	hash, err := md5Of(ctx, file)
	if err != nil {
		return err
	}
	if hash != it.hash[:32] {
		f := sdk.Fail("damaged_cache", "the cache's object of %s (%s) holds something else", it.path, it.hash)
		f.Remedy = "remove " + file + ", and bring it back with dvc.fetch from another remote"
		return f
	}
	return nil
}

func (p *provider) describePush(args pushArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{{Resource: p.unseen(args.Remote, call), Mode: schema.Write}, p.cacheEffect(schema.Read)},
		Command: p.command(append([]string{"push"}, remoteOption(args.Remote, call)...)...),
		Summary: "pushes what the workspace tracks",
	}
	if args.Repair {
		d.Summary += ", and uploads what DVC would skip"
	}
	return d
}

func (p *provider) previewPush(ctx context.Context, args pushArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	defer t.close()
	impact, skipped, err := t.pushable(args)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{
		Impact: impact, Sample: sample(paths(t.pushing)),
		Effects: []schema.Effect{t.effect(t.name, schema.Write), t.cached(schema.Read)},
		Summary: fmt.Sprintf("%s, %s, to push to %s", objects(impact["objects"]), phrase.Size(impact["bytes"]), t.name),
	}
	if len(skipped) > 0 {
		found.Summary += fmt.Sprintf("; DVC would skip %d of them", len(skipped))
	}
	return found, nil
}

// sample is what a preview shows of names.
func sample(names []string) []string { return names[:min(len(names), 20)] }
