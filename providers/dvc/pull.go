package dvc

import (
	"context"
	"fmt"
	"slices"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pullDoc = `Brings what the workspace tracks from a remote into the cache and the workspace, by dvc pull, and looks at both afterwards.
It is refused before anything is changed where objects are lost (DVC would delete the folders that it cannot make whole), where the remote has them damaged, and where files of the workspace hold something else than recorded. With force those are lost: it is destructive then.
Doing it again is harmless.`

const checkoutDoc = `Puts the workspace's files back as dvc.lock and the .dvc files record them, from the cache, by dvc checkout, and looks afterwards.
It is refused before anything is changed where the cache lacks what is needed: that is dvc.pull, which comes before; DVC itself would delete the folders that it cannot make whole. It is refused too where files hold something else than recorded; with force those are lost: it is destructive then.
Doing it again is harmless.`

type pullArgs struct {
	Remote string `runbook:"remote,optional" doc:"Name of the remote; without one the repository's default."`
	Force  bool   `runbook:"force" default:"false" doc:"Lose what files of the workspace hold, where that is not what is recorded. Files in tracked folders that are not recorded are deleted."`
}

type pullResult struct {
	sdk.Result
	Remote  string   `runbook:"remote" doc:"Name of the remote."`
	Objects int64    `runbook:"objects" doc:"How many objects were fetched."`
	Bytes   int64    `runbook:"bytes" doc:"Their size."`
	Files   int64    `runbook:"files" doc:"How many files of the workspace were changed."`
	Changes int64    `runbook:"changes" doc:"How many of them held something that was not recorded, and is lost."`
	Lost    []string `runbook:"lost_changes" doc:"Up to 100 of these."`
}

type checkoutArgs struct {
	Force bool `runbook:"force" default:"false" doc:"Lose what files of the workspace hold, where that is not what is recorded. Files in tracked folders that are not recorded are deleted."`
}

type checkoutResult struct {
	sdk.Result
	Files   int64    `runbook:"files" doc:"How many files of the workspace were changed."`
	Changes int64    `runbook:"changes" doc:"How many of them held something that was not recorded, and is lost."`
	Lost    []string `runbook:"lost_changes" doc:"Up to 100 of these."`
}

// workspaceChanged refuses to lose what files hold.
func workspaceChanged(changes []string) *schema.Failure {
	f := sdk.Fail("workspace_changed", "%s something else than recorded: %s", phrase.Count(int64(len(changes)), "file holds", "files hold"), some(changes))
	f.Argument, f.Remedy = "force", "save them with dvc commit or dvc add, or set force to lose them"
	return f
}

// restoring is what a pull or a checkout does to the workspace.
func restoring(w workspace) schema.Impact {
	return schema.Impact{"files": int64(w.files()), "changes": int64(len(w.changes))}
}

// pullable is what a pull would do, or why it would not.
func (t *transfer) pullable(ctx context.Context, force bool) (workspace, schema.Impact, error) {
	if err := t.fetchable(false); err != nil {
		return workspace{}, nil, err
	}
	w, err := t.workspace(ctx, t.found.outputs)
	if err == nil {
		w, err = t.unlisted(ctx, w)
	}
	if err != nil {
		return workspace{}, nil, err
	}
	if len(w.changes) > 0 && !force {
		return workspace{}, nil, workspaceChanged(w.changes)
	}
	impact := t.fetching()
	for unit, n := range restoring(w) {
		impact[unit] = n
	}
	return w, impact, nil
}

func (p *provider) pull(ctx context.Context, args pullArgs, call *sdk.Call) (pullResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return pullResult{}, sdk.Clean(err)
	}
	defer t.close()
	w, impact, err := t.pullable(ctx, args.Force)
	if err != nil {
		return pullResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, impact); f != nil {
		return pullResult{}, sdk.Clean(f)
	}
	found := pullResult{
		Remote: t.name, Objects: impact["objects"], Bytes: impact["bytes"], Files: impact["files"], Changes: impact["changes"],
		Lost: w.changes[:min(len(w.changes), shownFiles)],
	}
	if found.Objects+found.Files == 0 {
		found.Result = sdk.OK("cache and workspace have all that is recorded")
		return found, nil
	}
	command := []string{"pull", "--remote", t.name}
	if args.Force {
		command = append(command, "--force")
	}
	if _, err := t.run(ctx, true, append(command, t.found.targets()...)...); err != nil {
		return pullResult{}, err
	}
	if left, err := t.stillToFetch(ctx); err != nil {
		return pullResult{}, err
	} else if left > 0 {
		f := sdk.Fail("not_fetched", "dvc pull ended well, and %s not in the cache", phrase.Count(left, "object is", "objects are"))
		f.Remedy = "see the step's log"
		return pullResult{}, f
	}
	if err := t.restored(ctx, t.found.outputs); err != nil {
		return pullResult{}, err
	}
	found.Result = sdk.OK("pulled %s, %s, from %s: %s changed", objects(found.Objects), phrase.Size(found.Bytes), t.name, countFiles(found.Files))
	return found, nil
}

// restored looks whether the workspace is as recorded now.
func (r *repository) restored(ctx context.Context, outputs []output) error {
	left, err := r.workspace(ctx, outputs)
	if err != nil {
		return fmt.Errorf("look at the workspace: %w", err)
	}
	if left.files() == 0 {
		return nil
	}
	f := sdk.Fail("not_restored", "DVC ended well, and these are not as recorded: %s", some(append(left.missing, left.changes...)))
	f.Remedy = "see the step's log, and what else writes to the workspace"
	return f
}

func countFiles(n int64) string { return phrase.Count(n, "file", "files") }

func (p *provider) describePull(args pullArgs, call *sdk.Call) sdk.Description {
	command := append([]string{"pull"}, remoteOption(args.Remote, call)...)
	d := sdk.Description{Summary: "pulls what is recorded into the workspace"}
	d.Effects = []schema.Effect{p.workspaceEffect(schema.Write), {Resource: p.unseen(args.Remote, call), Mode: schema.Read}}
	if args.Force || call.Unknown("force") {
		d.Destructive, d.Effects[0].Mode = true, schema.Delete
		d.Summary += ", losing what its files hold else"
		command = append(command, "--force")
	}
	d.Command = p.command(command...)
	return d
}

// changing completes a preview with what happens to the workspace.
func changing(found *sdk.PreviewResult, w workspace, force bool) {
	destructive := force && len(w.changes) > 0
	found.Destructive = &destructive
	if !destructive {
		found.Effects[0].Mode = schema.Write
	}
	for _, name := range w.changes {
		found.Sample = append(found.Sample, name+" (changes are lost)")
	}
	found.Sample = sample(append(found.Sample, w.missing...))
}

func (p *provider) previewPull(ctx context.Context, args pullArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	t, err := p.transfer(ctx, call, args.Remote)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	defer t.close()
	w, impact, err := t.pullable(ctx, args.Force)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{
		Impact:  impact,
		Effects: []schema.Effect{p.workspaceEffect(schema.Delete), t.cached(schema.Write), t.effect(t.name, schema.Read)},
		Summary: fmt.Sprintf("%s, %s, to fetch from %s, %s to change", objects(impact["objects"]), phrase.Size(impact["bytes"]), t.name, countFiles(impact["files"])),
	}
	changing(&found, w, args.Force)
	return found, nil
}

// checkingOut is what a checkout starts from.
type checkingOut struct {
	*repository
	outputs []output
	targets []string
	workspace
}

func (p *provider) checkingOut(ctx context.Context, call *sdk.Call, force bool) (*checkingOut, error) {
	r, err := p.open(call)
	if err != nil {
		return nil, err
	}
	c := &comparison{}
	if c.index, err = (source{repository: r}).index(ctx); err != nil {
		return nil, err
	}
	for _, out := range c.index.outputs { // all of them, whichever remote is theirs
		if (out.object == object{}) {
			c.unrecorded = append(c.unrecorded, out.path)
		} else {
			c.outputs = append(c.outputs, out)
		}
	}
	found := &checkingOut{repository: r, outputs: c.outputs, targets: c.targets()}
	if found.workspace, err = r.workspace(ctx, c.outputs); err != nil {
		return nil, err
	}
	if err := c.expand(ctx, r.cache(), nil); err != nil {
		return nil, err
	}
	if c.here, err = r.cache().sizes(ctx, c.objects()); err != nil {
		return nil, err
	}
	if missing := c.needed(found.workspace); len(missing) > 0 {
		f := sdk.Fail("cache_missing", "%s not in the cache that the workspace needs: %s", phrase.Count(int64(len(missing)), "object is", "objects are"), some(paths(missing)))
		f.Remedy = "dvc.pull, or dvc.fetch before this: DVC would delete the folders that it cannot make whole"
		return nil, f
	}
	if len(found.changes) > 0 && !force {
		return nil, workspaceChanged(found.changes)
	}
	return found, nil
}

// needed are the items that the cache lacks and the workspace does not have
// either, and the lists of folders that nobody can look into without.
func (c *comparison) needed(w workspace) []item {
	differs := map[string]bool{}
	for _, name := range slices.Concat(w.missing, w.changes) {
		differs[name] = true
	}
	var found []item
	for _, it := range c.items {
		if _, here := c.here[it.object]; !here && (differs[it.path] || it.isDir()) {
			found = append(found, it)
		}
	}
	return found
}

func (p *provider) checkout(ctx context.Context, args checkoutArgs, call *sdk.Call) (checkoutResult, error) {
	todo, err := p.checkingOut(ctx, call, args.Force)
	if err != nil {
		return checkoutResult{}, sdk.Clean(err)
	}
	impact := restoring(todo.workspace)
	if f := overLimit(call, impact); f != nil {
		return checkoutResult{}, sdk.Clean(f)
	}
	found := checkoutResult{Files: impact["files"], Changes: impact["changes"], Lost: todo.changes[:min(len(todo.changes), shownFiles)]}
	if found.Files == 0 {
		found.Result = sdk.OK("the workspace is as recorded already")
		return found, nil
	}
	command := []string{"checkout"}
	if args.Force {
		command = append(command, "--force")
	}
	if _, err := todo.run(ctx, true, append(command, todo.targets...)...); err != nil {
		return checkoutResult{}, err
	}
	if err := todo.restored(ctx, todo.outputs); err != nil {
		return checkoutResult{}, err
	}
	found.Result = sdk.OK("%s put back as recorded", countFiles(found.Files))
	return found, nil
}

func (p *provider) describeCheckout(args checkoutArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Summary: "puts the workspace back as recorded", Effects: []schema.Effect{p.workspaceEffect(schema.Write)}}
	command := []string{"checkout"}
	if args.Force || call.Unknown("force") {
		d.Destructive, d.Effects[0].Mode = true, schema.Delete
		d.Summary += ", losing what its files hold else"
		command = append(command, "--force")
	}
	d.Command = p.command(command...)
	return d
}

func (p *provider) previewCheckout(ctx context.Context, args checkoutArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	todo, err := p.checkingOut(ctx, call, args.Force)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	impact := restoring(todo.workspace)
	found := sdk.PreviewResult{
		Impact: impact, Effects: []schema.Effect{p.workspaceEffect(schema.Delete)},
		Summary: countFiles(impact["files"]) + " to put back as recorded",
	}
	changing(&found, todo.workspace, args.Force)
	return found, nil
}
