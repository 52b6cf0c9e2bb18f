package git

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const diffDoc = `What differs between a commit and the work tree, or between two commits. It is ok where nothing does: "has the compose file changed in the last commit".`

type diffArgs struct {
	Where
	From  string   `runbook:"from" default:"HEAD" doc:"Commit, branch or tag."`
	To    string   `runbook:"to,optional" doc:"Another one; without it the work tree, untracked files left out."`
	Paths []string `runbook:"paths,optional" doc:"Git pathspecs: only these."`
	Patch bool     `runbook:"patch" default:"false" doc:"Give the text of the differences too. It may hold what a file keeps secret."`
}

type diffResult struct {
	sdk.Result
	From      string   `runbook:"from" doc:"Commit that from stands for."`
	To        string   `runbook:"to" doc:"Commit that to stands for; empty for the work tree."`
	Files     int      `runbook:"files" doc:"How many files differ."`
	Changes   []change `runbook:"changes" doc:"Up to 1000 of them."`
	Patch     string   `runbook:"patch" doc:"The text of the differences, up to 256 KiB; empty where it was not asked for."`
	Truncated bool     `runbook:"truncated" doc:"Whether more than that was left out."`
}

// change is one file that differs.
type change struct {
	Path    string `runbook:"path" doc:"The file."`
	Added   *int   `runbook:"added" doc:"Lines added; null for a binary file."`
	Deleted *int   `runbook:"deleted" doc:"Lines deleted; null for a binary file."`
}

// String is the change as a preview shows it.
func (c change) String() string {
	if c.Added == nil || c.Deleted == nil {
		return c.Path + " (binary)"
	}
	return fmt.Sprintf("%s (+%d -%d)", c.Path, *c.Added, *c.Deleted)
}

const mostPatch = 256 << 10

func (p *provider) diff(ctx context.Context, args diffArgs, call *sdk.Call) (diffResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return diffResult{}, err
	}
	var found diffResult
	if found.From, err = r.commit(ctx, "from", args.From); err != nil {
		return diffResult{}, err
	}
	ends, other := []string{found.From}, "the work tree"
	if args.To != "" {
		if found.To, err = r.commit(ctx, "to", args.To); err != nil {
			return diffResult{}, err
		}
		ends, other = append(ends, found.To), args.To
	}
	changes, err := r.changes(ctx, ends, args.Paths...)
	if err != nil {
		return diffResult{}, err
	}
	found.Files, found.Changes = len(changes), changes[:min(len(changes), mostPaths)]
	if args.Patch && len(changes) > 0 {
		patch, err := r.run(ctx, slices.Concat([]string{"diff", "--no-ext-diff", "--no-textconv", "--no-color"}, ends, []string{"--"}, args.Paths)...)
		if err != nil {
			return diffResult{}, err
		}
		if found.Truncated = len(patch) > mostPatch; found.Truncated {
			patch = patch[:strings.LastIndexByte(string(patch[:mostPatch]), '\n')+1]
		}
		found.Patch = strings.ToValidUTF8(string(patch), "�")
	}
	if len(changes) == 0 {
		found.Result = sdk.OK("nothing differs between %s and %s", shown(args.From), shown(other))
		return found, nil
	}
	found.Result = sdk.NotOK("%s between %s and %s: %s", phrase.Count(int64(len(changes)), "file differs", "files differ"), shown(args.From), shown(other), some(texts(changes)))
	return found, nil
}

func texts(changes []change) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.String())
	}
	return all
}

// changes are the files that differ between two commits, or one and the work
// tree.
func (r *repository) changes(ctx context.Context, ends []string, paths ...string) ([]change, error) {
	args := slices.Concat([]string{"diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"}, ends, []string{"--"}, paths)
	fields, err := r.fields(ctx, args...)
	if err != nil {
		return nil, err
	}
	var found []change
	for _, field := range fields {
		words := strings.SplitN(field, "\t", 3)
		if len(words) != 3 {
			return nil, sdk.Fail("git_error", "git diff printed something that this provider does not know")
		}
		c := change{Path: words[2]}
		if added, err := strconv.Atoi(words[0]); err == nil {
			c.Added = &added
		}
		if deleted, err := strconv.Atoi(words[1]); err == nil {
			c.Deleted = &deleted
		}
		found = append(found, c)
	}
	return found, nil
}
