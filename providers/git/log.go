package git

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const logDoc = `The commits that changed some paths, newest first. It is ok where there is one, and, with good_tags, where a good one is among the history: last_good is then the newest commit that carries such a tag.`

type logArgs struct {
	Where
	Revision string   `runbook:"revision" default:"HEAD" doc:"Begin at this commit, branch or tag."`
	Paths    []string `runbook:"paths,optional" doc:"Git pathspecs, such as dvc.lock and *.dvc: only commits that changed one of these. Files that are gone count too."`
	Limit    int      `runbook:"limit" default:"10" doc:"The most commits to list, from 1 to 1000."`
	GoodTags string   `runbook:"good_tags,optional" doc:"Glob over the tags that mark good commits, such as deployed-*."`
}

type logResult struct {
	sdk.Result
	Commits  []commit `runbook:"commits" doc:"The commits, newest first."`
	Previous string   `runbook:"previous" doc:"The second of them: the version before the present one. Empty where there is none."`
	LastGood *commit  `runbook:"last_good" doc:"The newest commit of the history of revision, whatever it changed, with a tag that fits good_tags; null where there is none or none was asked for."`
}

// commit is one of the history.
type commit struct {
	Commit  string    `runbook:"commit" doc:"Its full name."`
	Time    time.Time `runbook:"time" doc:"When it was committed."`
	Author  string    `runbook:"author" doc:"Name of its author."`
	Subject string    `runbook:"subject" doc:"First line of its message."`
	Tags    []string  `runbook:"tags" doc:"Tags that point to it."`
}

// commitFormat is what parseCommits reads: five fields, each ended by a zero
// byte.
const commitFormat = "--format=tformat:%H%x00%ct%x00%an%x00%s%x00%D%x00"

func (p *provider) log(ctx context.Context, args logArgs, call *sdk.Call) (logResult, error) {
	if args.Limit < 1 || args.Limit > 1000 {
		return logResult{}, sdk.InvalidArgument("limit", "limit must be between 1 and 1000, got %d", args.Limit)
	}
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return logResult{}, err
	}
	from, err := r.commit(ctx, "revision", args.Revision)
	if err != nil {
		return logResult{}, err
	}
	found := logResult{}
	if found.Commits, err = r.commits(ctx, args.Limit, from, args.Paths...); err != nil {
		return logResult{}, err
	}
	if len(found.Commits) > 1 {
		found.Previous = found.Commits[1].Commit
	}
	if args.GoodTags != "" {
		if found.LastGood, err = r.lastGood(ctx, from, args.GoodTags); err != nil {
			return logResult{}, err
		}
	}
	switch {
	case len(found.Commits) == 0:
		found.Result = sdk.NotOK("no commit up to %s changed these paths", args.Revision)
	case args.GoodTags != "" && found.LastGood == nil:
		found.Result = sdk.NotOK("no commit up to %s carries a tag %s", args.Revision, args.GoodTags)
	default:
		newest := found.Commits[0]
		found.Result = sdk.OK("%s, the newest %s: %s", phrase.Count(int64(len(found.Commits)), "commit", "commits"), short(newest.Commit), newest.Subject)
		if found.LastGood != nil {
			found.Summary += fmt.Sprintf("; the last good one is %s (%s)", short(found.LastGood.Commit), strings.Join(found.LastGood.Tags, ", "))
		}
	}
	return found, nil
}

func (r *repository) commits(ctx context.Context, limit int, from string, paths ...string) ([]commit, error) {
	args := []string{"log", "-z", "--no-show-signature", "--no-color", "--decorate=full", "--max-count=" + strconv.Itoa(limit), commitFormat, from, "--"}
	out, err := r.run(ctx, append(args, paths...)...)
	if err != nil {
		return nil, err
	}
	return parseCommits(string(out))
}

// parseCommits reads what commitFormat and -z make.
func parseCommits(text string) ([]commit, error) {
	fields := strings.Split(text, "\x00")
	var found []commit
	for ; len(fields) >= 6; fields = fields[6:] { // five, and the end of the record
		seconds, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return nil, sdk.Fail("git_error", "git log printed something that this provider does not know")
		}
		c := commit{Commit: fields[0], Time: time.Unix(seconds, 0).UTC(), Author: fields[2], Subject: fields[3]}
		for _, name := range strings.Split(fields[4], ", ") {
			if tag, ok := strings.CutPrefix(name, "tag: refs/tags/"); ok {
				c.Tags = append(c.Tags, tag)
			}
		}
		found = append(found, c)
	}
	return found, nil
}

// lastGood is the newest commit of from's history with such a tag: the first of
// them on the way back, whatever the clocks of their makers said.
func (r *repository) lastGood(ctx context.Context, from, glob string) (*commit, error) {
	out, err := r.run(ctx, "log", "-z", "--no-show-signature", "--no-color", "--topo-order", "--simplify-by-decoration",
		"--decorate=full", "--decorate-refs=refs/tags/"+glob, commitFormat, from, "--")
	if err != nil {
		return nil, err
	}
	found, err := parseCommits(string(out))
	if err != nil {
		return nil, err
	}
	for _, c := range found { // merges and roots come along without one
		if len(c.Tags) > 0 {
			return &c, nil
		}
	}
	return nil, nil
}

const commitExistsDoc = `Whether a commit is in the repository, and, with on, whether a branch holds it. It is ok where both are so.`

type commitExistsArgs struct {
	Where
	Revision string `runbook:"revision" doc:"Commit, branch or tag."`
	On       string `runbook:"on,optional" doc:"Branch, tag or commit whose history must hold it, such as origin/main."`
}

type commitExistsResult struct {
	sdk.Result
	Exists  bool    `runbook:"exists" doc:"Whether the commit is in the repository."`
	Held    *bool   `runbook:"held" doc:"Whether the history of on holds it; null where on is not given or there is no such commit."`
	Commit  string  `runbook:"commit" doc:"Its full name; empty where there is none."`
	Details *commit `runbook:"details" doc:"What it is; null where there is none."`
}

func (p *provider) commitExists(ctx context.Context, args commitExistsArgs, call *sdk.Call) (commitExistsResult, error) {
	r, err := p.open(ctx, call, args.Where, true)
	if err != nil {
		return commitExistsResult{}, err
	}
	name, err := r.commit(ctx, "revision", args.Revision)
	if isCode(err, "no_such_revision") {
		return commitExistsResult{Result: sdk.NotOK("there is no commit %s", args.Revision)}, nil
	} else if err != nil {
		return commitExistsResult{}, err
	}
	found := commitExistsResult{Exists: true, Commit: name}
	known, err := r.commits(ctx, 1, name)
	if err != nil {
		return commitExistsResult{}, err
	}
	if len(known) == 1 {
		found.Details = &known[0]
	}
	found.Result = sdk.OK("%s is %s: %s", args.Revision, short(name), subject(known))
	if args.On == "" {
		return found, nil
	}
	on, err := r.commit(ctx, "on", args.On)
	if err != nil {
		return commitExistsResult{}, err
	}
	held, err := r.says(ctx, "merge-base", "--is-ancestor", name, on)
	if err != nil {
		return commitExistsResult{}, err
	}
	found.Held = &held
	if found.Summary += ", held by " + args.On; !held {
		found.Result = sdk.NotOK("%s is %s: %s, and the history of %s does not hold it", args.Revision, short(name), subject(known), args.On)
	}
	return found, nil
}

func subject(known []commit) string {
	if len(known) == 0 {
		return ""
	}
	return known[0].Subject
}
