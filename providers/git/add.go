package git

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const addDoc = `Stages files as they are in the work tree, those that are gone included. Doing it again is harmless. The way back is git read-tree of index_before.`

type addArgs struct {
	Where
	Paths []string `runbook:"paths" doc:"Git pathspecs, such as dvc.lock and *.dvc. A * also matches slashes. Each must match something; what is ignored is refused where it is named, and left out else."`
}

type addResult struct {
	sdk.Result
	HeadBefore  string   `runbook:"head_before" doc:"Commit of HEAD, which stays where it is; empty where there is none."`
	IndexBefore string   `runbook:"index_before" doc:"Name of the tree that was staged before; empty where a conflict stood in the way."`
	Files       []string `runbook:"files" doc:"Files whose staged content changed, up to 1000."`
}

// toAdd are the files under the paths that are not staged as they are.
func (r *repository) toAdd(ctx context.Context, paths []string) (state, []string, error) {
	s, err := r.look(ctx, true, paths...)
	if err != nil {
		return state{}, nil, err
	}
	var found []string
	for _, e := range s.entries {
		if e.untracked || e.changed != 0 || e.conflict {
			found = append(found, e.path)
		}
	}
	slices.Sort(found)
	return s, slices.Compact(found), nil
}

// matches refuses paths that match nothing that is tracked or could be.
func (r *repository) matches(ctx context.Context, paths []string) error {
	_, err := r.run(ctx, slices.Concat([]string{"ls-files", "--cached", "--others", "--error-unmatch", "-z", "--"}, paths)...)
	return err
}

func (p *provider) add(ctx context.Context, args addArgs, call *sdk.Call) (addResult, error) {
	if f := badPaths(args.Paths); f != nil {
		return addResult{}, sdk.Clean(f)
	}
	r, err := p.open(ctx, call, args.Where, false)
	if err != nil {
		return addResult{}, sdk.Clean(err)
	}
	if err := r.matches(ctx, args.Paths); err != nil {
		return addResult{}, sdk.Clean(err)
	}
	s, todo, err := r.toAdd(ctx, args.Paths)
	if err != nil {
		return addResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, schema.Impact{"files": int64(len(todo))}); f != nil {
		return addResult{}, sdk.Clean(f)
	}
	found := addResult{HeadBefore: s.head, Files: todo[:min(len(todo), mostPaths)]}
	if found.IndexBefore, err = r.line(ctx, "write-tree"); err != nil && !isCode(err, "git_error", "conflict") {
		return addResult{}, sdk.Clean(err)
	}
	if _, err := r.run(ctx, slices.Concat([]string{"add", "--all", "--"}, args.Paths)...); err != nil {
		// The index is replaced as a whole, or not at all: also right before a cancel.
		look, stop := afterwards(ctx)
		defer stop()
		if now, failed := r.line(look, "write-tree"); failed == nil && now == found.IndexBefore {
			return addResult{}, sdk.Clean(err)
		}
		return addResult{}, err
	}
	_, left, err := r.toAdd(ctx, args.Paths)
	if err != nil {
		return addResult{}, err
	}
	if len(left) > 0 {
		f := sdk.Fail("not_staged", "these are still not staged as they are: %s", some(left))
		f.Remedy = "see what else writes to them"
		return addResult{}, f
	}
	found.Result = sdk.OK("%s", staging(todo, "staged"))
	return found, nil
}

func staging(files []string, verb string) string {
	if len(files) == 0 {
		return "all of it is staged already"
	}
	return fmt.Sprintf("%s %s: %s", countFiles(len(files)), verb, some(files))
}

func (p *provider) describeAdd(args addArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{p.repositoryEffect(args.Where)},
		Command: slices.Concat([]string{"add", "--all", "--"}, args.Paths),
		Summary: "stages " + strings.Join(args.Paths, ", "),
	}
	if !call.Unknown("paths") {
		d.Failure = badPaths(args.Paths)
	}
	return p.description(args.Where, call, d)
}

func (p *provider) previewAdd(ctx context.Context, args addArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	if err := r.matches(ctx, args.Paths); err != nil {
		return sdk.PreviewResult{}, err
	}
	_, todo, err := r.toAdd(ctx, args.Paths)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact: schema.Impact{"files": int64(len(todo))}, Summary: staging(todo, "to stage"), Sample: todo[:min(len(todo), sampled)],
	}, nil
}
