package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const checkoutPathsDoc = `Puts files back as a commit has them, staged; HEAD stays where it is. What the files hold now is kept first, under the ref that backup names, whether it was committed, changed, staged or not tracked at all. It is destructive where that is not committed anywhere.
Doing it again is harmless, and keeps the backup of the first time. The way back is git.checkout_paths of backup with the same paths and exact = true.`

type pathsArgs struct {
	Where
	Ref   string   `runbook:"ref" doc:"Commit, branch or tag to take the files from."`
	Paths []string `runbook:"paths" doc:"Git pathspecs, such as dvc.lock, *.dvc and dashboard/. A * also matches slashes. Each must match something."`
	Exact bool     `runbook:"exact" default:"false" doc:"Also delete tracked files that match and that the commit does not have; without it they stay, as with git checkout."`
}

type pathsResult struct {
	sdk.Result
	HeadBefore string   `runbook:"head_before" doc:"Commit of HEAD, which stays where it is."`
	Commit     string   `runbook:"commit" doc:"The commit that the files are taken from."`
	Backup     string   `runbook:"backup" doc:"Ref of a commit that holds the files as they were."`
	Files      []string `runbook:"files" doc:"Files that were changed, up to 1000."`
	Changes    []string `runbook:"changes" doc:"Those of them whose content was not committed, up to 1000."`
}

// restoring is what a checkout of paths would do.
type restoring struct {
	*repository
	head    string
	commit  string
	files   []string // not as the commit has them
	changes []string // those of them with content that HEAD does not have
}

func (w restoring) impact() schema.Impact {
	return schema.Impact{"files": int64(len(w.files)), "changes": int64(len(w.changes))}
}

func (a pathsArgs) check(call *sdk.Call) *schema.Failure {
	if !call.Unknown("ref") {
		if f := badRevision("ref", a.Ref); f != nil {
			return f
		}
	}
	if call.Unknown("paths") {
		return nil
	}
	return badPaths(a.Paths)
}

func (p *provider) restoring(ctx context.Context, args pathsArgs, call *sdk.Call, probing bool) (restoring, error) {
	if f := args.check(call); f != nil {
		return restoring{}, f
	}
	r, err := p.open(ctx, call, args.Where, probing)
	if err != nil {
		return restoring{}, err
	}
	w := restoring{repository: r}
	if w.commit, err = r.commit(ctx, "ref", args.Ref); err != nil {
		return restoring{}, err
	}
	s, err := r.look(ctx, true)
	if err != nil {
		return restoring{}, err
	}
	if f := s.steady(r.dir); f != nil {
		return restoring{}, f
	}
	w.head = s.head
	// Each path has to match what is tracked or what the commit has.
	if _, err := r.run(ctx, slices.Concat([]string{"ls-files", "--with-tree=" + w.commit, "--error-unmatch", "-z", "--"}, args.Paths)...); err != nil {
		return restoring{}, err
	}
	if w.files, err = r.otherThan(ctx, w.commit, args); err != nil {
		return restoring{}, err
	}
	uncommitted := map[string]bool{}
	for _, e := range s.entries {
		if e.untracked || holds(e.changed) || holds(e.staged) {
			uncommitted[e.path] = true
		}
	}
	tracked, err := r.fields(ctx, slices.Concat([]string{"ls-files", "-z", "--"}, args.Paths)...)
	if err != nil {
		return restoring{}, err
	}
	for _, path := range w.files {
		_, failed := os.Lstat(filepath.Join(r.dir, path))
		ignored := failed == nil && !slices.Contains(tracked, path)
		if uncommitted[path] || ignored {
			w.changes = append(w.changes, path)
		}
	}
	return w, nil
}

// holds tells whether a status letter stands for content: not for none, and not
// for a file that is gone.
func holds(letter byte) bool { return letter != 0 && letter != 'D' }

// otherThan are the files under the paths that are staged or in the work tree
// otherwise than the commit has them.
func (r *repository) otherThan(ctx context.Context, commit string, args pathsArgs) ([]string, error) {
	filter := "--diff-filter=a" // what the commit does not have stays
	if args.Exact {
		filter = "--diff-filter=ACDMRTUXB"
	}
	seen := map[string]bool{}
	for _, what := range [][]string{nil, {"--cached"}} {
		names, err := r.fields(ctx, slices.Concat([]string{"diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", filter}, what, []string{commit, "--"}, args.Paths)...)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			seen[name] = true
		}
	}
	var found []string
	for name := range seen {
		found = append(found, name)
	}
	slices.Sort(found)
	return found, nil
}

func (p *provider) checkoutPaths(ctx context.Context, args pathsArgs, call *sdk.Call) (pathsResult, error) {
	todo, err := p.restoring(ctx, args, call, false)
	if err != nil {
		return pathsResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, todo.impact()); f != nil {
		return pathsResult{}, sdk.Clean(f)
	}
	found := pathsResult{HeadBefore: todo.head, Commit: todo.commit, Files: todo.files[:min(len(todo.files), mostPaths)], Changes: todo.changes[:min(len(todo.changes), mostPaths)]}
	if found.Backup, err = todo.backup(ctx, call.Key(), todo.head, todo.files); err != nil {
		return pathsResult{}, sdk.Clean(err)
	}
	if len(todo.files) > 0 {
		overlay := "--overlay"
		if args.Exact {
			overlay = "--no-overlay"
		}
		if _, err := todo.run(ctx, slices.Concat([]string{"checkout", "--quiet", "--no-recurse-submodules", overlay, todo.commit, "--"}, args.Paths)...); err != nil {
			return pathsResult{}, moving(fmt.Errorf("after keeping the files in %s: %w", found.Backup, err))
		}
	}
	left, err := todo.otherThan(ctx, todo.commit, args)
	if err != nil {
		return pathsResult{}, err
	}
	if len(left) > 0 {
		f := sdk.Fail("not_restored", "these are still not as %s has them: %s", args.Ref, some(left))
		f.Remedy = "see who else is at work there, and try again"
		return pathsResult{}, f
	}
	found.Result = sdk.OK("%s", todo.summary("put back", args.Ref))
	return found, nil
}

func (w restoring) summary(verb, ref string) string {
	if len(w.files) == 0 {
		return "every file is as " + shown(ref) + " has it already"
	}
	text := fmt.Sprintf("%s %s as %s has them", countFiles(len(w.files)), verb, shown(ref))
	if len(w.changes) > 0 {
		text += fmt.Sprintf("; %d of them held changes that nobody had committed", len(w.changes))
	}
	return text
}

func (p *provider) describeCheckoutPaths(args pathsArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: true, Failure: args.check(call),
		Command: slices.Concat([]string{"checkout", args.Ref, "--"}, args.Paths),
		Summary: "puts " + strings.Join(args.Paths, ", ") + " back as " + shown(args.Ref) + " has them",
		Effects: p.named(args.Where, args.Paths, schema.Delete),
	}
	if call.Unknown("ref") {
		d.Command[1], d.Summary = "$REF", "puts files back as a commit has them"
	}
	return p.description(args.Where, call, d)
}

// named are the effects on paths: each on its own where it is a plain name, else
// on the whole work tree. The repository is written to in any case.
func (p *provider) named(w Where, paths []string, mode schema.Mode) []schema.Effect {
	var found []schema.Effect
	for _, path := range paths {
		if strings.ContainsAny(path, `*?[\:`) || !filepath.IsLocal(path) {
			return []schema.Effect{p.tree(w, mode)}
		}
		found = append(found, schema.Effect{Resource: fileURL(p.dir(w), path), Mode: mode})
	}
	if len(found) == 0 {
		return []schema.Effect{p.tree(w, mode)}
	}
	return append(found, p.repositoryEffect(w))
}

func (p *provider) previewCheckoutPaths(ctx context.Context, args pathsArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	todo, err := p.restoring(ctx, args, call, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{Impact: todo.impact(), Summary: todo.summary("to put back", args.Ref)}
	for _, path := range todo.files[:min(len(todo.files), sampled)] {
		if slices.Contains(todo.changes, path) {
			path += " (not committed)"
		}
		found.Sample = append(found.Sample, path)
	}
	if !p.config.Hooks {
		destructive, mode := len(todo.changes) > 0, schema.Write
		if destructive {
			mode = schema.Delete
		}
		found.Destructive, found.Effects = &destructive, p.named(args.Where, args.Paths, mode)
	}
	return found, nil
}
