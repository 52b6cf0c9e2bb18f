package git

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const inSyncDoc = `How a branch stands to the remote as it is now, whatever was fetched before. It is ok where both are at the same commit.
What the remote has more is looked at aside: the repository stays as it is, the tracking branch too.`

type inSyncResult struct {
	sdk.Result
	Branch     string `runbook:"branch" doc:"The branch that was compared."`
	URL        string `runbook:"url" doc:"The remote's, without user name and password."`
	Head       string `runbook:"head" doc:"Commit of the branch here; empty where it has none."`
	RemoteHead string `runbook:"remote_head" doc:"Commit of the branch on the remote; empty where it has no such branch."`
	Ahead      *int   `runbook:"ahead" doc:"Commits that only this side has; null where one side has no such branch."`
	Behind     *int   `runbook:"behind" doc:"Commits that only the remote has; null likewise."`
	Diverged   bool   `runbook:"diverged" doc:"Whether both have commits that the other lacks: a fast-forward is not possible."`
}

func (p *provider) inSync(ctx context.Context, args remoteArgs, call *sdk.Call) (inSyncResult, error) {
	if f := args.check(); f != nil {
		return inSyncResult{}, f
	}
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return inSyncResult{}, err
	}
	m, err := r.remote(ctx, args.Remote, false)
	if err != nil {
		return inSyncResult{}, err
	}
	found := inSyncResult{Branch: args.Branch, URL: m.url}
	if found.Head, found.Branch, err = r.branch(ctx, args.Branch); err != nil {
		return inSyncResult{}, err
	}
	heads, err := m.heads(ctx, found.Branch)
	if err != nil {
		return inSyncResult{}, err
	}
	found.RemoteHead = heads[found.Branch]
	switch {
	case found.RemoteHead == "":
		found.Result = sdk.NotOK("the remote %s has no branch %s", args.Remote, found.Branch)
		return found, nil
	case found.Head == "":
		found.Result = sdk.NotOK("there is no branch %s here", found.Branch)
		return found, nil
	}
	aside, done, err := m.bring(ctx, found.Branch, found.RemoteHead)
	defer done()
	if err != nil {
		return inSyncResult{}, err
	}
	ahead, behind, err := aside.between(ctx, found.Head, found.RemoteHead)
	if err != nil {
		return inSyncResult{}, err
	}
	found.Ahead, found.Behind, found.Diverged = &ahead, &behind, ahead > 0 && behind > 0
	commits := func(n int) string { return phrase.Count(int64(n), "commit", "commits") }
	switch where := fmt.Sprintf("%s of %s", found.Branch, args.Remote); {
	case found.Diverged:
		found.Result = sdk.NotOK("%s and %s have diverged: %s ahead, %d behind", found.Branch, where, commits(ahead), behind)
	case ahead > 0:
		found.Result = sdk.NotOK("%s is %s ahead of %s", found.Branch, commits(ahead), where)
	case behind > 0:
		found.Result = sdk.NotOK("%s is %s behind %s", found.Branch, commits(behind), where)
	default:
		found.Result = sdk.OK("%s is at %s, and so is %s", found.Branch, short(found.Head), where)
	}
	return found, nil
}

// branch is a local branch and its commit: the named one, else HEAD's.
func (r *repository) branch(ctx context.Context, name string) (commit, branch string, err error) {
	if name != "" {
		commit, err = r.ref(ctx, "refs/heads/"+name)
		return commit, name, err
	}
	commit, branch, err = r.head(ctx)
	if err == nil && branch == "" {
		f := sdk.Fail("detached_head", "HEAD is on no branch in %s", r.dir)
		f.Argument, f.Remedy = "branch", "name the branch, or git.checkout it first"
		return "", "", f
	}
	return commit, branch, err
}
