package git

import (
	"context"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pushDoc = `Pushes a branch to the branch of that name on the remote, and looks whether it arrived. It never forces: a branch that has diverged is refused.
Doing it again is harmless. remote_before is what the branch on the remote was before.`

type pushResult struct {
	sdk.Result
	Branch       string `runbook:"branch" doc:"The branch that was pushed."`
	HeadBefore   string `runbook:"head_before" doc:"Commit of HEAD, which a push leaves alone."`
	Commit       string `runbook:"commit" doc:"Commit of the branch, here and now on the remote."`
	RemoteBefore string `runbook:"remote_before" doc:"Commit of the branch on the remote before; empty where it is new there."`
	Commits      int    `runbook:"commits" doc:"How many commits the remote lacked."`
	Files        int    `runbook:"files" doc:"How many files they change."`
}

// pushing is what a push would do.
type pushing struct {
	remote  *remote
	branch  string
	commit  string
	before  string // on the remote
	head    string
	commits []string // first lines, newest first
	files   []change
}

func (w pushing) impact() schema.Impact {
	return schema.Impact{"commits": int64(len(w.commits)), "files": int64(len(w.files))}
}

func (p *provider) pushing(ctx context.Context, args remoteArgs, call *sdk.Call, probing bool) (pushing, error) {
	if f := args.check(); f != nil {
		return pushing{}, f
	}
	r, err := p.open(ctx, call, args.Where, probing)
	if err != nil {
		return pushing{}, err
	}
	m, err := r.remote(ctx, args.Remote, true)
	if err != nil {
		return pushing{}, err
	}
	w := pushing{remote: m}
	if w.head, _, err = r.head(ctx); err != nil {
		return pushing{}, err
	}
	if w.commit, w.branch, err = r.branch(ctx, args.Branch); err != nil {
		return pushing{}, err
	}
	if w.commit == "" {
		f := sdk.Fail("no_such_revision", "there is no branch %s in %s", w.branch, r.dir)
		f.Argument, f.Remedy = "branch", "git.checkout or git.commit makes it"
		return pushing{}, f
	}
	// What a push would do is asked of the remote by git itself.
	if err := w.push(ctx, "--dry-run"); err != nil {
		return pushing{}, err
	}
	heads, err := m.heads(ctx)
	if err != nil {
		return pushing{}, err
	}
	w.before = heads[w.branch]
	return w, w.count(ctx, heads)
}

// count finds out what the remote lacks: the commits that none of its branches
// holds, as far as they are known here.
func (w *pushing) count(ctx context.Context, heads map[string]string) error {
	r := w.remote.repository
	if w.before == w.commit {
		return nil
	}
	var known []string
	for _, commit := range heads {
		ended, err := r.try(ctx, "", nil, "cat-file", "-e", commit+"^{commit}")
		if err != nil {
			return err
		}
		if ended.Code == 0 {
			known = append(known, "^"+commit)
		}
	}
	args := append([]string{"log", "--no-show-signature", "--no-color", "--format=%h %s", w.commit}, known...)
	var err error
	if w.commits, err = r.lines(ctx, append(args, "--")...); err != nil {
		return err
	}
	base := w.before
	if base == "" && len(known) > 0 {
		// A new branch: against where it left the ones that are there.
		ended, err := r.try(ctx, "", nil, append([]string{"merge-base", w.commit}, stripped(known)...)...)
		if err != nil {
			return err
		}
		base, _, _ = strings.Cut(strings.TrimSpace(string(ended.Stdout)), "\n")
	}
	if base == "" {
		if base, err = r.emptyTree(ctx); err != nil {
			return err
		}
	}
	w.files, err = r.changes(ctx, []string{base, w.commit})
	return err
}

func stripped(known []string) []string {
	var names []string
	for _, name := range known {
		names = append(names, strings.TrimPrefix(name, "^"))
	}
	return names
}

// emptyTree is the name of the tree without files.
func (r *repository) emptyTree(ctx context.Context) (string, error) {
	return r.line(ctx, "hash-object", "-t", "tree", "--stdin")
}

// push runs git push, which prints a line for each ref that says what became
// of it.
func (w *pushing) push(ctx context.Context, options ...string) error {
	m := w.remote
	args := append([]string{"push", "--porcelain", "--no-force", "--no-follow-tags", "--recurse-submodules=no", "--no-signed"}, options...)
	if dry := len(options) > 0; dry || !m.provider.config.Hooks {
		args = append(args, "--no-verify")
	}
	ended, err := m.try(ctx, "", m.options, append(args, m.name, "refs/heads/"+w.branch+":refs/heads/"+w.branch)...)
	if f := m.typed(err); f != nil {
		return f
	} else if err != nil {
		return err
	}
	for line := range strings.Lines(string(ended.Stdout)) {
		flag, rest, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok || flag != "!" {
			continue
		}
		_, why, _ := strings.Cut(rest, "\t")
		return m.rejected(w.branch, why, ended.Stderr)
	}
	if ended.Code != 0 {
		return m.typed(m.failure("push", ended))
	}
	return nil
}

// rejected types the remote's, or git's own, refusal of a ref.
func (m *remote) rejected(branch, why, said string) *schema.Failure {
	f := sdk.Fail("rejected", "%s refuses the branch %s: %s (%s)", m.name, branch, why, m.url)
	f.Remedy = "see why the server refuses it: the branch may be protected"
	if strings.Contains(why, "non-fast-forward") || strings.Contains(why, "fetch first") {
		f.Code, f.Remedy = "diverged", "git.pull first, and settle what has diverged by hand: git.push never forces"
	}
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, "remote: "); ok && strings.TrimSpace(text) != "" {
			f.Message += ": " + strings.TrimSpace(text)
			break
		}
	}
	return f
}

func (p *provider) push(ctx context.Context, args remoteArgs, call *sdk.Call) (pushResult, error) {
	todo, err := p.pushing(ctx, args, call, false)
	if err != nil {
		return pushResult{}, sdk.Clean(err)
	}
	if f := overLimit(call, todo.impact()); f != nil {
		return pushResult{}, sdk.Clean(f)
	}
	if todo.before != todo.commit {
		if err := todo.push(ctx); err != nil {
			return pushResult{}, todo.after(ctx, err)
		}
	}
	heads, err := todo.remote.heads(ctx, todo.branch)
	if err != nil {
		return pushResult{}, sdk.Uncertain(fmt.Errorf("look whether the push has arrived: %w", err))
	}
	if heads[todo.branch] != todo.commit {
		f := sdk.Fail("not_arrived", "%s of %s is at %s after the push, and not at %s: somebody else has pushed", todo.branch, args.Remote, orNothing(heads[todo.branch]), short(todo.commit))
		f.Remedy = "see who else is at work there, and try again"
		return pushResult{}, f
	}
	found := pushResult{
		Branch: todo.branch, HeadBefore: todo.head, Commit: todo.commit, RemoteBefore: todo.before,
		Commits: len(todo.commits), Files: len(todo.files),
	}
	found.Result = sdk.OK("%s", todo.summary("pushed"))
	return found, nil
}

// after finds out what a push that failed has done.
func (w pushing) after(ctx context.Context, failed error) error {
	look, stop := afterwards(ctx)
	defer stop()
	heads, err := w.remote.heads(look, w.branch)
	switch {
	case err != nil:
		return sdk.Uncertain(failed)
	case heads[w.branch] == w.before:
		return sdk.Clean(failed)
	}
	return failed
}

func (w pushing) summary(verb string) string {
	if w.before == w.commit {
		return fmt.Sprintf("%s has all of %s already", w.remote.name, w.branch)
	}
	return fmt.Sprintf("%s of %s %s to %s: %s", phrase.Count(int64(len(w.commits)), "commit", "commits"), w.branch, verb, w.remote.name, countFiles(len(w.files)))
}

func (p *provider) describePush(args remoteArgs, call *sdk.Call) sdk.Description {
	branch := args.Branch
	if branch == "" {
		branch = "HEAD"
	}
	return p.description(args.Where, call, sdk.Description{
		Effects: []schema.Effect{
			{Resource: p.unseen(args.Where, args.Remote, call), Mode: schema.Write},
			{Resource: fileURL(p.dir(args.Where), ".git"), Mode: schema.Write}, // the tracking branch
		},
		Command: []string{"push", args.Remote, branch}, Summary: "pushes to " + args.Remote, Failure: p.checked(args, call),
	})
}

func (p *provider) previewPush(ctx context.Context, args remoteArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	todo, err := p.pushing(ctx, args, call, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	found := sdk.PreviewResult{Impact: todo.impact(), Sample: todo.commits[:min(len(todo.commits), sampled)], Summary: todo.summary("to push")}
	if !p.config.Hooks {
		found.Effects = []schema.Effect{todo.remote.effect(todo.branch, schema.Write), p.repositoryEffect(args.Where)}
	}
	return found, nil
}
