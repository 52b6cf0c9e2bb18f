package dvc

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// repository is an open DVC repository, for one call.
type repository struct {
	*provider
	call     *sdk.Call
	dir      string
	settings settings
	closing  []func()
}

// close lets go of connections.
func (r *repository) close() {
	for _, fn := range r.closing {
		fn()
	}
}

func (p *provider) open(call *sdk.Call) (*repository, error) {
	r := &repository{provider: p, call: call, dir: p.config.Repo}
	info, err := os.Stat(filepath.Join(r.dir, ".dvc"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		f := sdk.Fail("no_repository", "%s is no DVC repository: it has no folder .dvc", r.dir)
		f.Argument, f.Remedy = "repo", "correct repo; it is the folder that dvc init was run in"
		return nil, f
	} else if err != nil {
		return nil, sdk.Fail("no_repository", "look at the DVC repository: %v", err)
	}
	if r.settings, err = readSettings(r.dir, p.config.Credentials); err != nil {
		return nil, err
	}
	return r, nil
}

// git runs a git command that only looks.
func (r *repository) git(ctx context.Context, stdin string, args ...string) (program.Ended, error) {
	return program.Program{
		Argv:     []string{r.config.Git, "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "safe.directory=*"},
		Argument: "git", Remedy: "install git, or set git to the path of the program",
		Env: []string{"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull},
		Dir: r.dir, Stdin: stdin, Cut: "git was at " + args[0],
	}.Run(ctx, r.call, args...)
}

// gitFields is the output of a git command that has to succeed, split at its
// zero bytes.
func (r *repository) gitFields(ctx context.Context, args ...string) ([]string, error) {
	ended, err := r.git(ctx, "", args...)
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, gitFailure(ended)
	}
	text := strings.TrimSuffix(string(ended.Stdout), "\x00")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\x00"), nil
}

func gitFailure(ended program.Ended) *schema.Failure {
	f := sdk.Fail("git_error", "git: %s", program.Last(ended.Stderr))
	f.Remedy = "a DVC repository lies in a git work tree, unless .dvc/config says no_scm"
	return f
}

// source is where DVC's files are read from: a commit, or the workspace.
type source struct {
	*repository
	commit string // empty: the workspace
}

// at opens a revision; an empty one is the workspace.
func (r *repository) at(ctx context.Context, revision string) (source, error) {
	if revision == "" {
		return source{repository: r}, nil
	}
	if strings.HasPrefix(revision, "-") || strings.ContainsAny(revision, "\x00\n: ") || strings.Contains(revision, "..") {
		return source{}, sdk.InvalidArgument("rev", "%q names no commit, branch or tag", revision)
	}
	ended, err := r.git(ctx, "", "rev-parse", "--verify", "--quiet", revision+"^{commit}")
	if err != nil {
		return source{}, err
	}
	if ended.Code != 0 {
		f := sdk.Fail("no_such_revision", "there is no commit %s in %s", revision, r.dir)
		f.Argument, f.Remedy = "rev", "git.log lists what there is"
		return source{}, f
	}
	return source{r, strings.TrimSpace(string(ended.Stdout))}, nil
}

// isOurs tells whether a path is one of the files that say what DVC tracks.
func isOurs(path string) bool {
	name := filepath.Base(path)
	return name == "dvc.yaml" || name == "dvc.lock" || strings.HasSuffix(name, ".dvc") && name != ".dvc"
}

// files reads all files that say what DVC tracks, by their paths.
func (s source) files(ctx context.Context) (map[string][]byte, error) {
	switch {
	case s.commit != "":
		return s.committed(ctx)
	case s.settings.noSCM:
		return s.walked()
	}
	names, err := s.gitFields(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc", "dvc.yaml", "dvc.lock", "*/dvc.yaml", "*/dvc.lock")
	if err != nil {
		return nil, err
	}
	ignored, err := s.gitFields(ctx, "ls-files", "-z", "--cached", "--others", "--ignored", "--exclude-per-directory=.dvcignore", "--", "*.dvc", "dvc.yaml", "dvc.lock", "*/dvc.yaml", "*/dvc.lock")
	if err != nil {
		return nil, err
	}
	left := map[string]bool{}
	for _, name := range ignored {
		left[name] = true
	}
	found := map[string][]byte{}
	for _, name := range names {
		if left[name] || !isOurs(name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted in the workspace
		} else if err != nil {
			return nil, sdk.Fail("unreadable", "read what DVC tracks: %v", err)
		}
		found[name] = text
	}
	return found, nil
}

// walked finds the files in a workspace without git.
func (s source) walked() (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".dvc" || entry.Name() == ".git"):
			return fs.SkipDir
		case entry.IsDir() || !isOurs(path):
			return nil
		}
		name, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		found[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		return nil, sdk.Fail("unreadable", "read what DVC tracks: %v", err)
	}
	return found, nil
}

// committed reads the files as a commit has them.
func (s source) committed(ctx context.Context) (map[string][]byte, error) {
	listed, err := s.gitFields(ctx, "ls-tree", "-r", "-z", s.commit)
	if err != nil {
		return nil, err
	}
	var names []string
	var asked strings.Builder
	for _, line := range listed {
		what, name, _ := strings.Cut(line, "\t")
		if words := strings.Fields(what); len(words) == 3 && words[1] == "blob" && isOurs(name) {
			names = append(names, name)
			asked.WriteString(words[2] + "\n")
		}
	}
	found := map[string][]byte{}
	if len(names) == 0 {
		return found, nil
	}
	ended, err := s.git(ctx, asked.String(), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, gitFailure(ended)
	}
	rest := ended.Stdout
	for _, name := range names {
		header, after, ok := bytes.Cut(rest, []byte{'\n'})
		words := strings.Fields(string(header))
		if !ok || len(words) != 3 {
			return nil, sdk.Fail("git_error", "git cat-file does not know %s of %s", name, s.commit)
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size+1 > len(after) {
			return nil, sdk.Fail("git_error", "git cat-file printed something that this provider does not know")
		}
		found[name], rest = after[:size], after[size+1:]
	}
	return found, nil
}
