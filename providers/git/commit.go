package git

import (
	"context"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const commitDoc = `Commits what is staged. It is refused where nothing is.
The reflog of HEAD names the step that made a commit: after an interruption it tells whether it was made. The way back, while it is not pushed, is git reset --soft to head_before.`

type commitArgs struct {
	Where
	Message string `runbook:"message" doc:"Message of the commit; its first line is what people see."`
}

type commitResult struct {
	sdk.Result
	HeadBefore string   `runbook:"head_before" doc:"Commit of HEAD before; empty for the first one."`
	Head       string   `runbook:"head" doc:"The commit that was made."`
	Branch     string   `runbook:"branch" doc:"The branch it was made on; empty where HEAD is detached."`
	Files      []string `runbook:"files" doc:"Files that it changes, up to 1000."`
}

func (a commitArgs) check() *schema.Failure {
	if strings.TrimSpace(a.Message) == "" {
		return sdk.InvalidArgument("message", "the message is empty")
	}
	if strings.ContainsRune(a.Message, 0) {
		return sdk.InvalidArgument("message", "the message holds a zero byte")
	}
	return nil
}

// staged are the files that a commit would change.
func (s state) staged() []string {
	var found []string
	for _, e := range s.entries {
		if e.staged != 0 {
			found = append(found, e.path)
		}
	}
	return found
}

func (p *provider) commit(ctx context.Context, args commitArgs, call *sdk.Call) (commitResult, error) {
	if f := args.check(); f != nil {
		return commitResult{}, sdk.Clean(f)
	}
	r, err := p.open(ctx, call, args.Where, false)
	if err != nil {
		return commitResult{}, sdk.Clean(err)
	}
	s, err := r.look(ctx, false)
	if err != nil {
		return commitResult{}, sdk.Clean(err)
	}
	if f := s.steady(r.dir); f != nil {
		return commitResult{}, sdk.Clean(f)
	}
	staged := s.staged()
	if len(staged) == 0 {
		f := sdk.Fail("nothing_staged", "nothing is staged in %s", r.dir)
		f.Remedy = "git.add first; where that staged nothing, what it names is committed already"
		return commitResult{}, sdk.Clean(f)
	}
	if f := overLimit(call, schema.Impact{"files": int64(len(staged))}); f != nil {
		return commitResult{}, sdk.Clean(f)
	}
	r.env = append(r.env, "GIT_REFLOG_ACTION="+reflogAction(call.Key()))
	if p.config.AuthorName != "" {
		r.env = append(r.env, "GIT_AUTHOR_NAME="+p.config.AuthorName, "GIT_AUTHOR_EMAIL="+p.config.AuthorEmail,
			"GIT_COMMITTER_NAME="+p.config.AuthorName, "GIT_COMMITTER_EMAIL="+p.config.AuthorEmail)
	}
	options := []string{"-c", "user.useConfigOnly=true"} // never one made up from the machine's name
	_, failed := r.feed(ctx, args.Message, options, "commit", "--quiet", "--no-gpg-sign", "--cleanup=whitespace", "--no-status", "--file=-")
	look, stop := afterwards(ctx)
	defer stop()
	found, made, err := r.made(look, call.Key())
	switch {
	case err != nil:
		return commitResult{}, sdk.Uncertain(err)
	case !made && failed != nil:
		return commitResult{}, sdk.Clean(failed)
	case !made:
		return commitResult{}, sdk.Uncertain(sdk.Fail("not_committed", "git said that it had committed, and the reflog of HEAD does not show it"))
	}
	return found, nil
}

func reflogAction(key string) string { return "runbook " + mark(key) }

// made is the commit that was made under a key, by the reflog of HEAD, and
// whether there is one.
func (r *repository) made(ctx context.Context, key string) (commitResult, bool, error) {
	ended, err := r.try(ctx, "", nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil || ended.Code != 0 {
		return commitResult{}, false, err // no commit at all
	}
	lines, err := r.lines(ctx, "reflog", "show", "--format=%H %gs", "HEAD")
	if err != nil {
		return commitResult{}, false, err
	}
	for _, line := range lines {
		name, what, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(what, reflogAction(key)+":") && !strings.HasPrefix(what, reflogAction(key)+" (") {
			continue
		}
		// The reflog is written just before the branch is moved.
		held, err := r.says(ctx, "merge-base", "--is-ancestor", name, "HEAD")
		if err != nil || !held {
			return commitResult{}, false, err
		}
		found, err := r.describe(ctx, name)
		return found, err == nil, err
	}
	return commitResult{}, false, nil
}

// describe is the result for a commit.
func (r *repository) describe(ctx context.Context, name string) (commitResult, error) {
	found := commitResult{Head: name}
	var err error
	if found.HeadBefore, err = r.ref(ctx, name+"^"); err != nil {
		return commitResult{}, err
	}
	if _, found.Branch, err = r.head(ctx); err != nil {
		return commitResult{}, err
	}
	names, err := r.fields(ctx, "diff-tree", "--root", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z", name)
	if err != nil {
		return commitResult{}, err
	}
	found.Files = names[:min(len(names), mostPaths)]
	known, err := r.commits(ctx, 1, name)
	if err != nil {
		return commitResult{}, err
	}
	found.Result = sdk.OK("%s on %s: %s, %s", short(name), orDetached(found.Branch), subject(known), countFiles(len(names)))
	return found, nil
}

func orDetached(branch string) string {
	if branch == "" {
		return "no branch"
	}
	return branch
}

func (p *provider) settleCommit(ctx context.Context, args commitArgs, call *sdk.Call) (commitResult, schema.State, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return commitResult{}, schema.Unknown, err
	}
	found, made, err := r.made(ctx, call.Key())
	switch {
	case err != nil:
		return commitResult{}, schema.Unknown, err
	case made:
		return found, schema.Done, nil
	}
	return commitResult{}, schema.FailedClean, sdk.Fail("not_committed", "the reflog of HEAD shows no commit of this step")
}

func (p *provider) describeCommit(args commitArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{p.repositoryEffect(args.Where)},
		Command: []string{"commit", "-m", args.Message}, Summary: "commits what is staged",
	}
	if call.Unknown("message") {
		d.Command[2] = "$MESSAGE"
	} else {
		d.Failure = args.check()
	}
	return p.description(args.Where, call, d)
}

func (p *provider) previewCommit(ctx context.Context, args commitArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	s, err := r.look(ctx, false)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	if f := s.steady(r.dir); f != nil {
		return sdk.PreviewResult{}, f
	}
	staged := s.staged()
	found := sdk.PreviewResult{
		Impact: schema.Impact{"files": int64(len(staged))}, Sample: staged[:min(len(staged), sampled)],
		Summary: fmt.Sprintf("commits %s, %s", countFiles(len(staged)), s.at()),
	}
	if len(staged) == 0 {
		found.Summary = "nothing is staged now: it would be refused"
	}
	return found, nil
}
