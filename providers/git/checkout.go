package git

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const checkoutDoc = `Has the work tree show another branch, tag or commit. A branch that only a remote has, by the last fetch, is made here to follow it; a tag or commit leaves HEAD on no branch.
Files with changes that are not committed are refused before anything is changed. Doing it again is harmless. The way back is git.checkout of ref_before.`

type checkoutArgs struct {
	Where
	Ref string `runbook:"ref" doc:"Branch, tag or commit."`
}

type checkoutResult struct {
	sdk.Result
	HeadBefore   string   `runbook:"head_before" doc:"Commit of HEAD before."`
	BranchBefore string   `runbook:"branch_before" doc:"The branch that HEAD was on; empty for none."`
	RefBefore    string   `runbook:"ref_before" doc:"What leads back: that branch, else that commit."`
	Head         string   `runbook:"head" doc:"Commit of HEAD after."`
	Branch       string   `runbook:"branch" doc:"The branch that HEAD is on; empty for none."`
	Files        []string `runbook:"files" doc:"Files that differ between the two commits, up to 1000."`
}

// switching is what a checkout would do.
type switching struct {
	move
	*repository
	from, to string   // branches; empty: none
	command  []string // git's arguments
}

func (p *provider) switching(ctx context.Context, args checkoutArgs, call *sdk.Call, probing bool) (switching, error) {
	if f := badRevision("ref", args.Ref); f != nil {
		return switching{}, f
	}
	r, err := p.open(ctx, call, args.Where, probing)
	if err != nil {
		return switching{}, err
	}
	found := switching{repository: r}
	before, from, err := r.head(ctx)
	if err != nil {
		return switching{}, err
	}
	after, err := r.ref(ctx, "refs/heads/"+args.Ref)
	if err != nil {
		return switching{}, err
	}
	options := []string{"checkout", "--quiet", "--no-overwrite-ignore", "--no-recurse-submodules"}
	if after != "" {
		found.to, found.command = args.Ref, append(options, "--no-guess", args.Ref, "--")
	} else {
		tracking, commit, err := r.tracked(ctx, args.Ref)
		if err != nil {
			return switching{}, err
		}
		if tracking != "" {
			after, found.to, found.command = commit, args.Ref, append(options, "--track", "-b", args.Ref, tracking)
		} else {
			if after, err = r.commit(ctx, "ref", args.Ref); err != nil {
				return switching{}, err
			}
			found.command = append(options, "--detach", after, "--")
		}
	}
	found.from = from
	found.move, err = r.plan(ctx, before, after)
	return found, err
}

// tracked is the one tracking branch of that name, where the name is nothing
// else.
func (r *repository) tracked(ctx context.Context, name string) (ref, commit string, err error) {
	known, err := r.refs(ctx, "refs/remotes")
	if err != nil {
		return "", "", err
	}
	if tag, err := r.ref(ctx, "refs/tags/"+name); err != nil || tag != "" {
		return "", "", err
	}
	remotes, err := r.lines(ctx, "remote")
	if err != nil {
		return "", "", err
	}
	var found []string
	for _, remote := range remotes {
		if known["refs/remotes/"+remote+"/"+name] != "" {
			found = append(found, "refs/remotes/"+remote+"/"+name)
		}
	}
	if len(found) > 1 {
		f := sdk.Fail("ambiguous_revision", "several remotes have a branch %s: %s", name, strings.Join(found, ", "))
		f.Argument, f.Remedy = "ref", "name one of them"
		return "", "", f
	}
	if len(found) == 0 {
		return "", "", nil
	}
	return found[0], known[found[0]], nil
}

func (p *provider) checkout(ctx context.Context, args checkoutArgs, call *sdk.Call) (checkoutResult, error) {
	todo, err := p.switching(ctx, args, call, false)
	if err != nil {
		return checkoutResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, todo.impact()); f != nil {
		return checkoutResult{}, sdk.Clean(f)
	}
	if todo.from != todo.to || todo.before != todo.after {
		if err := todo.ready(ctx, todo.move); err != nil {
			return checkoutResult{}, err
		}
		if _, err := todo.run(ctx, todo.command...); err != nil {
			return checkoutResult{}, moving(err)
		}
	}
	found := checkoutResult{HeadBefore: todo.before, BranchBefore: todo.from, RefBefore: todo.from, Files: files(todo.files)}
	if found.RefBefore == "" {
		found.RefBefore = todo.before
	}
	if found.Head, found.Branch, err = todo.head(ctx); err != nil {
		return checkoutResult{}, err
	}
	if found.Head != todo.after || found.Branch != todo.to {
		f := sdk.Fail("not_moved", "HEAD is at %s after the checkout, and not at %s: somebody else is at work in %s", short(found.Head), short(todo.after), todo.dir)
		f.Remedy = "see who else is at work there, and try again"
		return checkoutResult{}, f
	}
	found.Result = sdk.OK("%s", todo.summary())
	return found, nil
}

func (s switching) summary() string {
	now := state{head: s.after, branch: s.to}
	if s.before == s.after && s.from == s.to {
		return "already " + now.at()
	}
	was := state{head: s.before, branch: s.from}
	return fmt.Sprintf("%s, before it %s: %s", now.at(), was.at(), countFiles(len(s.files)))
}

func (p *provider) describeCheckout(args checkoutArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{p.tree(args.Where, schema.Write)},
		Command: []string{"checkout", args.Ref}, Summary: "checks " + shown(args.Ref) + " out",
	}
	if call.Unknown("ref") {
		d.Command, d.Summary = []string{"checkout", "$REF"}, "checks another commit out"
	} else {
		d.Failure = badRevision("ref", args.Ref)
	}
	return p.description(args.Where, call, d)
}

func (p *provider) previewCheckout(ctx context.Context, args checkoutArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	todo, err := p.switching(ctx, args, call, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{Impact: todo.impact(), Sample: slices.Clip(sample(todo.files)), Summary: todo.summary()}, nil
}
