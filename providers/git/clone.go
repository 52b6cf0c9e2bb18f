package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const cloneDoc = `Makes the work tree from a remote, which is named origin, where there is nothing yet. It appears as a whole or not at all. Where a work tree of that remote is there already, nothing is done.
Doing it again is harmless. There is no way back: delete the folder.`

type cloneArgs struct {
	Where
	URL    string `runbook:"url" doc:"The remote's, without a password: that belongs in the provider block."`
	Branch string `runbook:"branch,optional" doc:"Branch or tag to check out; without it the remote's own choice."`
}

type cloneResult struct {
	sdk.Result
	HeadBefore string `runbook:"head_before" doc:"Commit of HEAD where the work tree was there already; else empty."`
	Head       string `runbook:"head" doc:"Commit of HEAD."`
	Branch     string `runbook:"branch" doc:"The branch it is on; empty for none."`
	Made       bool   `runbook:"made" doc:"Whether it was cloned now."`
}

func (a cloneArgs) check() *schema.Failure {
	switch u, err := url.Parse(a.URL); {
	case a.URL == "", strings.HasPrefix(a.URL, "-"), strings.Contains(a.URL, "::"), strings.ContainsAny(a.URL, "\n\x00"):
		return sdk.InvalidArgument("url", "url names no remote")
	case err == nil && u.User != nil && (u.Scheme != "ssh" || strings.Contains(u.User.String(), ":")):
		return sdk.InvalidArgument("url", "url holds a user name or password; set username and password in the provider block")
	}
	if a.Branch != "" {
		return badRevision("branch", a.Branch)
	}
	return nil
}

// there looks whether the work tree exists: only one of that remote will do.
func (p *provider) there(ctx context.Context, args cloneArgs, call *sdk.Call) (*repository, error) {
	dir := p.dir(args.Where)
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return nil, nil
	case err != nil:
		return nil, sdk.Fail("folder_taken", "look at %s: %v", dir, err)
	}
	taken := sdk.Fail("folder_taken", "%s is there, and is no work tree of %s", dir, args.URL)
	taken.Argument, taken.Remedy = "repo", "choose another folder, or move this one away"
	r, err := p.open(ctx, call, args.Where, true)
	if isCode(err, "no_repository") {
		return nil, taken
	} else if err != nil {
		return nil, err
	}
	m, err := r.remote(ctx, "origin", false)
	if isCode(err, "remote_missing") || err == nil && resourceOf(m.url, dir) != resourceOf(p.source(args.URL), dir) {
		return nil, taken
	}
	return r, err
}

// source is a URL with a relative path made absolute.
func (p *provider) source(where string) string {
	if strings.HasPrefix(where, "./") || strings.HasPrefix(where, "../") {
		return filepath.Join(p.base, where)
	}
	return where
}

func (p *provider) clone(ctx context.Context, args cloneArgs, call *sdk.Call) (cloneResult, error) {
	if f := args.check(); f != nil {
		return cloneResult{}, sdk.Clean(f)
	}
	r, err := p.there(ctx, args, call)
	if err != nil {
		return cloneResult{}, sdk.Clean(err)
	}
	var found cloneResult
	if r != nil {
		found.Head, found.Branch, err = r.head(ctx)
		found.HeadBefore = found.Head
		found.Result = sdk.OK("the work tree is there already, %s", state{head: found.Head, branch: found.Branch}.at())
		return found, sdk.Clean(err)
	}
	dir := p.dir(args.Where)
	// Beside the place where it belongs, so that it gets there in one step.
	aside := filepath.Join(filepath.Dir(dir), ".runbook-clone-"+mark(call.Key()))
	if err := os.RemoveAll(aside); err != nil {
		return cloneResult{}, sdk.Clean(fmt.Errorf("remove what an earlier attempt left: %w", err))
	}
	defer func() { _ = os.RemoveAll(aside) }()
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return cloneResult{}, sdk.Clean(fmt.Errorf("make the folder above: %w", err))
	}
	source := p.source(args.URL)
	outside := &repository{provider: p, call: call, dir: filepath.Dir(dir)}
	var options []string
	options, outside.env = p.credentials(source)
	command := []string{"clone", "--quiet", "--no-recurse-submodules", "--origin=origin", "--template="}
	if args.Branch != "" {
		command = append(command, "--branch="+args.Branch)
	}
	if _, err := outside.feed(ctx, "", options, append(command, "--", source, aside)...); err != nil {
		return cloneResult{}, sdk.Clean(err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cloneResult{}, sdk.Clean(fmt.Errorf("put the clone in its place: %w", err))
	}
	if err := os.Rename(aside, dir); err != nil {
		return cloneResult{}, fmt.Errorf("put the clone in its place: %w", err)
	}
	if r, err = p.open(ctx, call, args.Where, false); err != nil {
		return cloneResult{}, err
	}
	found.Made = true
	if found.Head, found.Branch, err = r.head(ctx); err != nil {
		return cloneResult{}, err
	}
	found.Result = sdk.OK("cloned, %s", state{head: found.Head, branch: found.Branch}.at())
	return found, nil
}

func (p *provider) describeClone(args cloneArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{p.tree(args.Where, schema.Write)},
		Command: []string{"git", "clone"}, Summary: "clones " + program.Clean(args.URL),
	}
	if args.Branch != "" {
		d.Command = append(d.Command, "--branch", args.Branch)
	}
	if call.Unknown("url") {
		d.Command = append(d.Command, "$URL")
		d.Summary = "clones a repository"
		d.Effects = append(d.Effects, schema.Effect{Resource: p.unseen(args.Where, "origin", call), Mode: schema.Read})
	} else if d.Failure = args.check(); d.Failure == nil {
		d.Command = append(d.Command, p.source(args.URL))
		d.Effects = append(d.Effects, schema.Effect{Resource: resourceOf(p.source(args.URL), p.base), Mode: schema.Read})
	}
	if call.Unknown("repo") {
		d.Effects, d.Undeclared = nil, true
		return d
	}
	d.Command = append(d.Command, p.dir(args.Where))
	return d
}

func (p *provider) previewClone(ctx context.Context, args cloneArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	r, err := p.there(ctx, args, call)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	if r == nil {
		return sdk.PreviewResult{Summary: "clones " + program.Clean(args.URL)}, nil
	}
	return sdk.PreviewResult{Summary: "the work tree is there already"}, nil
}
