package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// repository is an open work tree, for one call.
type repository struct {
	provider *provider
	call     *sdk.Call
	dir      string // root of the work tree
	gitDir   string
	env      []string
	probing  bool
}

// open finds the work tree at whose root w is. For a probe git writes nothing,
// not even a fresher index.
func (p *provider) open(ctx context.Context, call *sdk.Call, w Where, probing bool) (*repository, error) {
	r := &repository{provider: p, call: call, dir: p.dir(w), probing: probing}
	info, err := os.Stat(r.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noRepository(r.dir, "there is no folder "+r.dir)
	case err != nil:
		return nil, sdk.Fail("no_repository", "look at the work tree: %v", err)
	case !info.IsDir():
		return nil, noRepository(r.dir, r.dir+" is not a folder")
	}
	out, err := r.lines(ctx, "rev-parse", "--is-inside-work-tree", "--absolute-git-dir")
	if err != nil {
		return nil, err
	}
	if len(out) != 2 || out[0] != "true" {
		return nil, noRepository(r.dir, r.dir+" is in a git repository, and in no work tree of it")
	}
	r.gitDir = out[1]
	root, err := r.lines(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	if here, err := filepath.EvalSymlinks(r.dir); err != nil || len(root) != 1 || here != root[0] {
		f := noRepository(r.dir, fmt.Sprintf("%s is not the root of its work tree", r.dir))
		f.Remedy = "set repo to " + strings.Join(root, "\n") + " if that is what is meant"
		return nil, f
	}
	return r, nil
}

func noRepository(dir, message string) *schema.Failure {
	f := sdk.Fail("no_repository", "%s", message)
	f.Argument = "repo"
	f.Remedy = "correct repo, or make the repository with git.clone"
	return f
}

// overrides is what holds whatever the repository's own configuration says: no
// work that goes on afterwards, no program that a file of it names, no question.
// A look starts no hook, whatever the configuration says.
func (p *provider) overrides(probing bool) []string {
	settings := []string{
		"gc.auto=0", "maintenance.auto=false", "core.fsmonitor=false", "core.quotePath=false",
		"commit.gpgSign=false", "tag.gpgSign=false", "push.gpgSign=false", "submodule.recurse=false",
		"core.logAllRefUpdates=true", "advice.detachedHead=false", "color.ui=false",
		"http.lowSpeedLimit=1", "http.lowSpeedTime=60",
	}
	if probing || !p.config.Hooks {
		settings = append(settings, "core.hooksPath=/dev/null")
	}
	var args []string
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

func (p *provider) environment() []string {
	env := []string{
		"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_PAGER=cat",
		"GIT_EDITOR=false", "GIT_MERGE_AUTOEDIT=no", "GIT_SSH_COMMAND=" + p.ssh(),
	}
	if !p.config.UserConfig {
		env = append(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1")
	}
	return env
}

// ssh is what git starts for remotes over SSH: it asks nothing, and gives a host
// that is gone up.
func (p *provider) ssh() string {
	words := []string{"ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "ControlMaster=no"}
	if p.config.SSHKey != "" {
		words = append(words, "-o", "IdentitiesOnly=yes", "-i", shellQuote(p.config.SSHKey))
	}
	if p.config.KnownHosts != "" {
		words = append(words, "-o", shellQuote("UserKnownHostsFile="+p.config.KnownHosts), "-o", "GlobalKnownHostsFile=/dev/null")
	}
	return strings.Join(words, " ")
}

func shellQuote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// program is git for this work tree.
func (r *repository) program(extra []string) program.Program {
	argv := append([]string{r.provider.config.Git}, r.provider.overrides(r.probing)...)
	if r.provider.config.TrustOwner {
		argv = append(argv, "-c", "safe.directory="+r.dir)
	}
	env := append(r.provider.environment(), r.env...)
	if r.probing {
		env = append(env, "GIT_OPTIONAL_LOCKS=0")
	}
	p := program.Program{
		Argv: append(argv, extra...), Argument: "git", Remedy: "install git, or set git to the path of the program",
		Env: env, Dir: r.dir,
	}
	if !r.probing {
		p.Log = func(line string) { r.call.Logf("%s", line) }
	}
	return p
}

// run is one git command that has to succeed.
func (r *repository) run(ctx context.Context, args ...string) ([]byte, error) {
	return r.feed(ctx, "", nil, args...)
}

// feed is run with something on standard input, and options before the command.
func (r *repository) feed(ctx context.Context, stdin string, options []string, args ...string) ([]byte, error) {
	ended, err := r.try(ctx, stdin, options, args...)
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, r.failure(args[0], ended)
	}
	return ended.Stdout, nil
}

// try is one git command, however it ends.
func (r *repository) try(ctx context.Context, stdin string, options []string, args ...string) (program.Ended, error) {
	p := r.program(options)
	p.Stdin, p.Cut = stdin, "git was at "+args[0]
	return p.Run(ctx, r.call, args...)
}

// lines is run's output, line by line.
func (r *repository) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := r.run(ctx, args...)
	text := strings.TrimSuffix(string(out), "\n")
	if err != nil || text == "" {
		return nil, err
	}
	return strings.Split(text, "\n"), nil
}

// line is the first line of run's output.
func (r *repository) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.lines(ctx, args...)
	if err != nil || len(out) == 0 {
		return "", err
	}
	return out[0], nil
}

// fields is run's output, split at its zero bytes.
func (r *repository) fields(ctx context.Context, args ...string) ([]string, error) {
	out, err := r.run(ctx, args...)
	return split(out), err
}

func split(out []byte) []string {
	text := strings.TrimSuffix(string(out), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

// says tells whether git answers yes (0) and not no (1).
func (r *repository) says(ctx context.Context, args ...string) (bool, error) {
	ended, err := r.try(ctx, "", nil, args...)
	if err != nil {
		return false, err
	}
	if ended.Code > 1 {
		return false, r.failure(args[0], ended)
	}
	return ended.Code == 0, nil
}

// commit is the name of the commit that a revision stands for.
func (r *repository) commit(ctx context.Context, argument, revision string) (string, error) {
	if f := badRevision(argument, revision); f != nil {
		return "", f
	}
	ended, err := r.try(ctx, "", nil, "rev-parse", "--verify", "--quiet", revision+"^{commit}")
	if err != nil {
		return "", err
	}
	if ended.Code != 0 {
		f := sdk.Fail("no_such_revision", "there is no commit %s in %s", revision, r.dir)
		f.Argument, f.Remedy = argument, "git.fetch brings what the remote has; git.log lists what there is"
		return "", f
	}
	return strings.TrimSpace(string(ended.Stdout)), nil
}

// head is the commit of HEAD and the branch it is on; no commit yet and no
// branch are empty.
func (r *repository) head(ctx context.Context) (commit, branch string, err error) {
	ended, err := r.try(ctx, "", nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return "", "", err
	}
	commit = strings.TrimSpace(string(ended.Stdout))
	ended, err = r.try(ctx, "", nil, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil {
		return "", "", err
	}
	return commit, strings.TrimSpace(string(ended.Stdout)), nil
}

// ref is what a full ref name points to; nothing where there is no such ref.
func (r *repository) ref(ctx context.Context, name string) (string, error) {
	ended, err := r.try(ctx, "", nil, "rev-parse", "--verify", "--quiet", name)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(ended.Stdout)), nil
}

// badRevision refuses what git would take for something else.
func badRevision(argument, revision string) *schema.Failure {
	switch {
	case revision == "":
		return sdk.InvalidArgument(argument, "%s is empty", argument)
	case strings.HasPrefix(revision, "-"), strings.ContainsAny(revision, "\x00\n: "), strings.Contains(revision, ".."):
		return sdk.InvalidArgument(argument, "%q names no commit, branch or tag", revision)
	}
	return nil
}

// badPaths refuses a list of paths that is empty or holds an empty one.
func badPaths(paths []string) *schema.Failure {
	if len(paths) == 0 {
		return sdk.InvalidArgument("paths", "no path is given")
	}
	for _, path := range paths {
		if path == "" || strings.ContainsRune(path, 0) {
			return sdk.InvalidArgument("paths", "a path is empty")
		}
	}
	return nil
}
