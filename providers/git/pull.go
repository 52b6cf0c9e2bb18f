package git

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pullDoc = `Moves the branch that HEAD is on forward to where the remote's branch is now. It only ever fast-forwards: a branch that has diverged, and files with changes that are not committed, are refused before anything is changed.
Doing it again is harmless. The way back is git.checkout of head_before.`

type pullResult struct {
	sdk.Result
	Branch     string   `runbook:"branch" doc:"The branch that was moved."`
	HeadBefore string   `runbook:"head_before" doc:"Commit of HEAD before."`
	Head       string   `runbook:"head" doc:"Commit of HEAD after."`
	Commits    int      `runbook:"commits" doc:"How many commits came."`
	Files      []string `runbook:"files" doc:"Files that they changed, up to 1000."`
}

// pulling is what a pull would do.
type pulling struct {
	move
	remote  *remote
	branch  string
	commits int
	ahead   int
}

func (p pulling) impact() schema.Impact {
	impact := p.move.impact()
	impact["commits"] = int64(p.commits)
	return impact
}

// pulling finds out what a pull would do; done lets go of what was looked at
// aside.
func (p *provider) pulling(ctx context.Context, args remoteArgs, call *sdk.Call, probing bool) (found pulling, done func(), err error) {
	done = func() {}
	if f := args.check(); f != nil {
		return found, done, f
	}
	r, err := p.open(ctx, call, args.Where, probing)
	if err != nil {
		return found, done, err
	}
	before, branch, err := r.branch(ctx, "")
	if err != nil {
		return found, done, err
	}
	if args.Branch != "" && args.Branch != branch {
		f := sdk.Fail("wrong_branch", "HEAD is on the branch %s, and %s is to be pulled", branch, args.Branch)
		f.Argument, f.Remedy = "branch", "git.checkout "+args.Branch+" first"
		return found, done, f
	}
	m, err := r.remote(ctx, args.Remote, false)
	if err != nil {
		return found, done, err
	}
	heads, err := m.heads(ctx, branch)
	if err != nil {
		return found, done, err
	}
	after := heads[branch]
	if after == "" {
		return found, done, m.branchMissing(branch)
	}
	aside, done, err := m.bring(ctx, branch, after)
	if err != nil {
		return found, done, err
	}
	found = pulling{move: move{before: before, after: after}, remote: m, branch: branch}
	if before != "" {
		if found.ahead, found.commits, err = aside.between(ctx, before, after); err != nil {
			return found, done, err
		}
	}
	switch {
	case found.ahead > 0 && found.commits > 0:
		f := sdk.Fail("diverged", "%s and %s of %s have diverged: %d commits ahead, %d behind", branch, branch, args.Remote, found.ahead, found.commits)
		f.Remedy = "settle it by hand, with a merge or a rebase: git.pull only fast-forwards"
		return found, done, f
	case found.ahead > 0:
		after = before
	}
	found.move, err = aside.plan(ctx, before, after)
	return found, done, err
}

func (p *provider) pull(ctx context.Context, args remoteArgs, call *sdk.Call) (pullResult, error) {
	todo, done, err := p.pulling(ctx, args, call, false)
	defer done()
	if err != nil {
		return pullResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, todo.impact()); f != nil {
		return pullResult{}, sdk.Clean(f)
	}
	r := todo.remote
	if todo.before != todo.after {
		if err := r.ready(ctx, todo.move); err != nil {
			return pullResult{}, err
		}
		if _, err := r.run(ctx, "merge", "--ff-only", "--quiet", "--no-overwrite-ignore", todo.after); err != nil {
			return pullResult{}, moving(err)
		}
	}
	if todo.ahead == 0 {
		if _, err := r.run(ctx, "update-ref", "-m", "runbook: pull", "refs/remotes/"+r.name+"/"+todo.branch, todo.after); err != nil {
			return pullResult{}, err
		}
	}
	head, branch, err := r.head(ctx)
	if err != nil {
		return pullResult{}, err
	}
	if head != todo.after || branch != todo.branch {
		f := sdk.Fail("not_moved", "HEAD is at %s on %s after the pull, and not at %s: somebody else is at work in %s", short(head), branch, short(todo.after), r.dir)
		f.Remedy = "see who else is at work there, and try again"
		return pullResult{}, f
	}
	found := pullResult{Branch: branch, HeadBefore: todo.before, Head: head, Commits: todo.commits, Files: files(todo.files)}
	found.Result = sdk.OK("%s", todo.summary("moved"))
	return found, nil
}

// summary says what the pull does or did.
func (p pulling) summary(verb string) string {
	if p.before == p.after {
		return fmt.Sprintf("%s has everything that %s has", p.branch, p.remote.name)
	}
	return fmt.Sprintf("%s %s forward by %s to %s: %s", p.branch, verb, phrase.Count(int64(p.commits), "commit", "commits"), short(p.after), countFiles(len(p.files)))
}

func (p *provider) describePull(args remoteArgs, call *sdk.Call) sdk.Description {
	command := []string{"pull", "--ff-only", args.Remote}
	summary := "fast-forwards to what " + args.Remote + " has"
	if args.Branch != "" {
		command = append(command, args.Branch)
		summary = "fast-forwards " + args.Branch + " to what " + args.Remote + " has"
	}
	return p.description(args.Where, call, sdk.Description{
		Effects: []schema.Effect{p.tree(args.Where, schema.Write), {Resource: p.unseen(args.Where, args.Remote, call), Mode: schema.Read}},
		Command: command, Summary: summary, Failure: p.checked(args, call),
	})
}

// checked is what is wrong with the arguments, where they are known.
func (p *provider) checked(args remoteArgs, call *sdk.Call) *schema.Failure {
	if call.Unknown("remote") {
		args.Remote = "origin"
	}
	return args.check()
}

func (p *provider) previewPull(ctx context.Context, args remoteArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	todo, done, err := p.pulling(ctx, args, call, true)
	defer done()
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{Impact: todo.impact(), Sample: sample(todo.files), Summary: todo.summary("moves")}
	if !p.config.Hooks {
		found.Effects = []schema.Effect{p.tree(args.Where, schema.Write), todo.remote.effect(todo.branch, schema.Read)}
	}
	return found, nil
}
