package git

import (
	"context"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const statusDoc = `What state the work tree is in. It is ok where nothing differs from HEAD, no file is untracked, and no merge or the like is half done.
ahead and behind are by the last fetch: git.in_sync asks the remote.`

type statusArgs struct {
	Where
	Paths     []string `runbook:"paths,optional" doc:"Git pathspecs: look at these alone, such as dvc.lock and *.dvc. A * also matches slashes."`
	Untracked bool     `runbook:"untracked" default:"true" doc:"Whether files that git does not track count; those that are ignored never do."`
}

type statusResult struct {
	sdk.Result
	Head      string   `runbook:"head" doc:"Commit of HEAD; empty where there is none yet."`
	Branch    string   `runbook:"branch" doc:"The branch that HEAD is on; empty where it is detached."`
	Upstream  string   `runbook:"upstream" doc:"The branch that it follows, such as origin/main; empty where there is none."`
	Ahead     *int     `runbook:"ahead" doc:"Commits that the upstream branch lacked at the last fetch; null without one."`
	Behind    *int     `runbook:"behind" doc:"Commits of the upstream branch that HEAD lacks, by the last fetch; null without one."`
	Files     int      `runbook:"files" doc:"How many files are not as HEAD has them, untracked ones included where they count."`
	Staged    []string `runbook:"staged" doc:"Files whose staged content differs from HEAD, up to 1000."`
	Changed   []string `runbook:"changed" doc:"Files that differ from what is staged, up to 1000."`
	Untracked []string `runbook:"untracked" doc:"Files that git does not track, up to 1000."`
	Conflicts []string `runbook:"conflicts" doc:"Files in conflict, up to 1000."`
	Operation string   `runbook:"operation" doc:"What was begun and not ended: merge, rebase, cherry-pick, revert, bisect; else empty."`
}

// mostPaths bounds the lists of files in results.
const mostPaths = 1000

func (p *provider) status(ctx context.Context, args statusArgs, call *sdk.Call) (statusResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return statusResult{}, err
	}
	s, err := r.look(ctx, args.Untracked, args.Paths...)
	if err != nil {
		return statusResult{}, err
	}
	found := statusResult{
		Head: s.head, Branch: s.branch, Upstream: s.upstream, Ahead: s.ahead, Behind: s.behind,
		Files: len(s.entries), Operation: s.operation,
	}
	var staged, changed, untracked, conflicts int
	keep := func(list *[]string, n *int, path string) {
		if *n++; *n <= mostPaths {
			*list = append(*list, path)
		}
	}
	for _, e := range s.entries {
		switch {
		case e.conflict:
			keep(&found.Conflicts, &conflicts, e.path)
		case e.untracked:
			keep(&found.Untracked, &untracked, e.path)
		}
		if e.staged != 0 {
			keep(&found.Staged, &staged, e.path)
		}
		if e.changed != 0 {
			keep(&found.Changed, &changed, e.path)
		}
	}
	var remarks []string
	for _, one := range []struct {
		n    int
		what string
	}{{conflicts, "in conflict"}, {staged, "staged"}, {changed, "changed"}, {untracked, "untracked"}} {
		if one.n > 0 {
			remarks = append(remarks, fmt.Sprintf("%s %s", phrase.Count(int64(one.n), "file", "files"), one.what))
		}
	}
	if s.operation != "" {
		remarks = append(remarks, "a "+s.operation+" is half done")
	}
	if len(remarks) == 0 {
		found.Result = sdk.OK("clean, %s", s.at())
	} else {
		found.Result = sdk.NotOK("%s, %s", strings.Join(remarks, ", "), s.at())
	}
	return found, nil
}

// at says where HEAD is.
func (s state) at() string {
	switch {
	case s.head == "":
		return "on " + s.branch + ", which has no commit yet"
	case s.branch == "":
		return "at " + short(s.head) + ", on no branch"
	}
	return "on " + s.branch + " at " + short(s.head)
}

// short is a commit's name as people read it.
func short(commit string) string { return commit[:min(len(commit), 10)] }

// shown is a revision in a sentence: a commit's full name is cut short.
func shown(revision string) string {
	if len(revision) >= 40 && strings.Trim(revision, "0123456789abcdef") == "" {
		return short(revision)
	}
	return revision
}
