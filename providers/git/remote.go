package git

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// remote is one that the repository's configuration names.
type remote struct {
	*repository
	name    string
	url     string   // without user name and password
	options []string // of git, before the command
}

// RemoteArgs name a remote and a branch of it.
type remoteArgs struct {
	Where
	Remote string `runbook:"remote" default:"origin" doc:"Name of the remote, as the repository's configuration has it."`
	Branch string `runbook:"branch,optional" doc:"Branch of that name, here and there; without it the one that HEAD is on."`
}

func (a remoteArgs) check() *schema.Failure {
	if f := badRemote(a.Remote); f != nil {
		return f
	}
	if a.Branch != "" {
		return badRevision("branch", a.Branch)
	}
	return nil
}

func badRemote(name string) *schema.Failure {
	if name == "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, "/:\\ \n\x00") {
		return sdk.InvalidArgument("remote", "%q is no name of a remote", program.Clean(name))
	}
	return nil
}

// remote finds a configured remote, and readies its credentials.
func (r *repository) remote(ctx context.Context, name string, push bool) (*remote, error) {
	if f := badRemote(name); f != nil {
		return nil, f
	}
	known, err := r.lines(ctx, "remote")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(known, name) {
		f := sdk.Fail("remote_missing", "the repository has no remote %s", name)
		f.Argument, f.Remedy = "remote", "git remote add names one"
		if len(known) > 0 {
			f.Remedy = "it has " + strings.Join(known, ", ")
		}
		return nil, f
	}
	args := []string{"remote", "get-url"}
	if push {
		args = append(args, "--push")
	}
	where, err := r.line(ctx, append(args, name)...)
	if err != nil {
		return nil, err
	}
	found := &remote{repository: r, name: name, url: program.Clean(where)}
	found.options, r.env = r.provider.credentials(found.url)
	return found, nil
}

// credentials are git's options and environment for a remote over HTTP: a helper
// that answers for its host alone, from the environment.
func (p *provider) credentials(where string) (options, env []string) {
	u, err := url.Parse(where)
	if p.config.Password == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil
	}
	const helper = `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$RUNBOOK_GIT_USERNAME" "$RUNBOOK_GIT_PASSWORD"; }; f`
	host := u.Scheme + "://" + u.Host
	return []string{"-c", "credential.helper=", "-c", "credential." + host + ".helper=", "-c", "credential." + host + ".helper=" + helper},
		[]string{"RUNBOOK_GIT_USERNAME=" + p.config.Username, "RUNBOOK_GIT_PASSWORD=" + p.config.Password}
}

// over is one git command that talks to the remote.
func (m *remote) over(ctx context.Context, args ...string) ([]byte, error) {
	out, err := m.feed(ctx, "", m.options, args...)
	var f *schema.Failure
	if f = m.typed(err); f != nil {
		return nil, f
	}
	return out, err
}

// typed adds to a failure which remote it was.
func (m *remote) typed(err error) *schema.Failure {
	f, ok := err.(*schema.Failure) //nolint:errorlint // one that is wrapped says already whether it is clean
	if !ok {
		return nil
	}
	at := *f
	at.Message = fmt.Sprintf("%s (remote %s, %s)", f.Message, m.name, m.url)
	return &at
}

// heads are the remote's branches and what they point to.
func (m *remote) heads(ctx context.Context, branches ...string) (map[string]string, error) {
	args := []string{"ls-remote", "--refs", "--quiet", m.name}
	for _, branch := range branches {
		args = append(args, "refs/heads/"+branch)
	}
	if len(branches) == 0 {
		args = append(args, "refs/heads/*")
	}
	out, err := m.over(ctx, args...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		commit, ref, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if branch, isHead := strings.CutPrefix(ref, "refs/heads/"); ok && isHead {
			if len(branches) == 0 || slices.Contains(branches, branch) {
				found[branch] = commit
			}
		}
	}
	return found, nil
}

// branchMissing is the failure of a branch that the remote does not have.
func (m *remote) branchMissing(branch string) *schema.Failure {
	f := sdk.Fail("branch_missing", "the remote %s (%s) has no branch %s", m.name, m.url, branch)
	f.Argument, f.Remedy = "branch", "correct branch: git ls-remote shows what there is"
	return f
}

// bring has the objects of a branch of the remote here, and changes no ref. Of
// a probe they are kept aside, and gone when done is called.
func (m *remote) bring(ctx context.Context, branch, commit string) (aside *repository, done func(), err error) {
	done = func() {}
	ended, err := m.try(ctx, "", nil, "cat-file", "-e", commit+"^{commit}")
	if err != nil || ended.Code == 0 {
		return m.repository, done, err
	}
	aside = m.repository
	if m.probing {
		shallow, err := m.line(ctx, "rev-parse", "--is-shallow-repository")
		if err != nil {
			return nil, done, err
		}
		if shallow == "true" {
			f := sdk.Fail("shallow_repository", "the repository is shallow: what the remote has more cannot be counted without changing it")
			f.Remedy = "git.fetch first"
			return nil, done, f
		}
		if aside, done, err = m.aside(ctx); err != nil {
			return nil, done, err
		}
	}
	with := &remote{repository: aside, name: m.name, url: m.url, options: m.options}
	_, err = with.over(ctx, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules", "--no-auto-maintenance", m.name, "refs/heads/"+branch)
	return aside, done, err
}

// aside is the repository, with a folder of its own for new objects.
func (r *repository) aside(ctx context.Context) (*repository, func(), error) {
	objects, err := r.line(ctx, "rev-parse", "--git-path", "objects")
	if err != nil {
		return nil, func() {}, err
	}
	if !filepath.IsAbs(objects) {
		objects = filepath.Join(r.dir, objects)
	}
	folder, err := os.MkdirTemp("", "runbook-git-")
	if err != nil {
		return nil, func() {}, fmt.Errorf("make a folder for objects: %w", err)
	}
	copied := *r
	copied.env = append(slices.Clone(r.env), "GIT_OBJECT_DIRECTORY="+folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+quotePath(objects))
	return &copied, func() { _ = os.RemoveAll(folder) }, nil
}

// quotePath writes a path as GIT_ALTERNATE_OBJECT_DIRECTORIES wants it, where a
// colon parts paths.
func quotePath(path string) string {
	if !strings.ContainsAny(path, ":\"") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// between counts the commits that only a and only b have.
func (r *repository) between(ctx context.Context, a, b string) (onlyA, onlyB int, err error) {
	line, err := r.line(ctx, "rev-list", "--count", "--left-right", a+"..."+b)
	if err != nil {
		return 0, 0, err
	}
	if _, err := fmt.Sscanf(line, "%d\t%d", &onlyA, &onlyB); err != nil {
		return 0, 0, fmt.Errorf("read git rev-list's answer %q: %w", line, err)
	}
	return onlyA, onlyB, nil
}

// effect names a branch of the remote, or all of it.
func (m *remote) effect(branch string, mode schema.Mode) schema.Effect {
	resource := resourceOf(m.url, m.dir)
	if branch != "" {
		resource += "/refs/heads/" + branch
	}
	return schema.Effect{Resource: resource, Mode: mode}
}

// resourceOf names what a remote's URL stands for.
func resourceOf(where, dir string) string {
	if u, err := url.Parse(where); err == nil && u.Scheme != "" && u.Scheme != "file" {
		u.RawQuery, u.Fragment = "", ""
		return strings.TrimSuffix(sdk.EffectURL(u), "/")
	} else if err == nil && u.Scheme == "file" {
		return fileURL(u.Path)
	}
	if host, path, ok := strings.Cut(where, ":"); ok && !strings.Contains(host, "/") { // user@host:path
		_, bare, hasUser := strings.Cut(host, "@")
		if !hasUser {
			bare = host
		}
		return sdk.EffectURL(&url.URL{Scheme: "ssh", Host: bare, Path: "/" + strings.TrimPrefix(path, "/")})
	}
	if !filepath.IsAbs(where) {
		where = filepath.Join(dir, where)
	}
	return fileURL(where)
}

// unseen names a remote whose URL is not known, since nothing was looked at: by
// what the repository calls it.
func (p *provider) unseen(w Where, name string, call *sdk.Call) string {
	if call.Unknown("remote") {
		name = ""
	}
	return fileURL(p.dir(w), ".git", "remotes", name)
}
