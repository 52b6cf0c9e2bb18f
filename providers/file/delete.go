package file

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const deleteDoc = `Deletes the files in a folder that match a pattern and were written longer ago than age, but never the newest of them: at least keep stay, however old they are, so
that a backup that has stopped does not take the last good ones with it. Links are neither followed nor deleted. The preview is the same look. With a limit on files
or bytes, more is refused before the first one is deleted. A file that is written to meanwhile stays. Doing it again is harmless.`

type deleteArgs struct {
	Directory string        `runbook:"directory" doc:"The folder."`
	Pattern   string        `runbook:"pattern" doc:"Glob over the files' names without their folders, such as backup_*.sql."`
	Age       time.Duration `runbook:"age" doc:"What was written longer ago goes, such as 720h for 30 days."`
	Keep      int64         `runbook:"keep" default:"1" doc:"How many of the newest that match stay, however old they are."`
	Recursive bool          `runbook:"recursive" default:"false" doc:"Whether to look into folders below, too."`
}

type deleteResult struct {
	sdk.Result
	Files     int64     `runbook:"files" doc:"How many files were deleted."`
	Bytes     int64     `runbook:"bytes" doc:"Their sizes, added up."`
	Kept      int64     `runbook:"kept" doc:"How many that match are still there."`
	OlderThan time.Time `runbook:"older_than" doc:"What was written before this moment was deleted."`
}

func (p *provider) checkDelete(args deleteArgs) *schema.Failure {
	if f := p.check("directory", args.Directory); f != nil {
		return f
	}
	if f := checkPattern(args.Pattern); f != nil {
		return f
	}
	switch {
	case args.Age <= 0:
		return sdk.InvalidArgument("age", "age must be positive, got %s", args.Age)
	case args.Keep < 0:
		return sdk.InvalidArgument("keep", "keep must not be negative, got %d", args.Keep)
	}
	return nil
}

// old are the files that go, oldest first, and how many stay.
func (p *provider) old(ctx context.Context, args deleteArgs, before time.Time) (old []folder.File, kept int64, err error) {
	files, err := p.matching(ctx, p.absolute(args.Directory), args.Pattern, args.Recursive)
	if err != nil {
		return nil, 0, ended(ctx, err)
	}
	for _, file := range butNewest(files, args.Keep) {
		if file.ModTime.Before(before) {
			old = append(old, file)
		}
	}
	return old, int64(len(files) - len(old)), nil
}

func weigh(files []folder.File) schema.Impact {
	impact := schema.Impact{"files": int64(len(files)), "bytes": 0}
	for _, file := range files {
		impact["bytes"] += file.Size
	}
	return impact
}

// within refuses what is over a limit.
func within(impact schema.Impact, call *sdk.Call) error {
	for _, unit := range []string{"files", "bytes", "overwritten"} {
		if limit, limited := call.Limit(unit); limited && impact[unit] > limit {
			f := sdk.Fail("limit_exceeded", "it would be %d %s, the limit is %d; nothing was done", impact[unit], unit, limit)
			f.Remedy = "narrow what is hit, or raise limit"
			return f
		}
	}
	return nil
}

func (p *provider) delete(ctx context.Context, args deleteArgs, call *sdk.Call) (deleteResult, error) {
	if f := p.checkDelete(args); f != nil {
		return deleteResult{}, sdk.Clean(f)
	}
	result := deleteResult{OlderThan: time.Now().Add(-args.Age)}
	old, kept, err := p.old(ctx, args, result.OlderThan)
	if err == nil {
		err = within(weigh(old), call)
	}
	if err != nil {
		return deleteResult{}, sdk.Clean(err)
	}
	dir, err := p.open(p.absolute(args.Directory))
	if err != nil {
		return deleteResult{}, sdk.Clean(err)
	}
	defer dir.Close()
	for _, file := range old {
		gone, err := deleteOne(ctx, dir, file)
		if err != nil && result.Files == 0 {
			return deleteResult{}, sdk.Clean(err)
		}
		if err != nil {
			return deleteResult{}, partly(err, "after deleting %s", phrase.Count(result.Files, "file", "files"))
		}
		if !gone {
			call.Logf("%s was written to meanwhile, and stays", dir.Name(file.Path))
			kept++
			continue
		}
		result.Files++
		result.Bytes += file.Size
		call.Progress(float64(result.Files), float64(len(old)), "%s deleted", phrase.Count(result.Files, "file", "files"))
	}
	result.Kept = kept
	result.Result = sdk.OK("deleted %s of %s, %s; %d are kept", phrase.Count(result.Files, "file", "files"),
		filepath.Join(p.absolute(args.Directory), args.Pattern), phrase.Size(result.Bytes), kept)
	return result, nil
}

// deleteOne deletes a file that is still what it was.
func deleteOne(ctx context.Context, dir *folder.Folder, file folder.File) (bool, error) {
	if ctx.Err() != nil {
		return false, ended(ctx, ctx.Err())
	}
	info, err := dir.Root().Lstat(file.Path)
	if err != nil {
		return false, folder.Failure("look at", dir.Name(file.Path), err)
	}
	if !info.Mode().IsRegular() || !info.ModTime().Equal(file.ModTime) || info.Size() != file.Size {
		return false, nil
	}
	return true, dir.Remove(file.Path)
}

func (p *provider) describeDelete(args deleteArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: true, Summary: "deletes old files",
		Effects: []schema.Effect{{Resource: p.resource(args.Directory), Mode: schema.Delete}},
	}
	for _, name := range []string{"directory", "pattern", "age", "keep", "recursive"} {
		if call.Unknown(name) {
			return d
		}
	}
	if d.Failure = p.checkDelete(args); d.Failure != nil {
		return d
	}
	dir := p.absolute(args.Directory)
	d.Summary = fmt.Sprintf("deletes %s older than %s, but the newest %d", filepath.Join(dir, args.Pattern), args.Age, args.Keep)
	find := `find "$0" -maxdepth 1 -type f -name "$1"`
	if args.Recursive {
		find = `find "$0" -type f -name "$1"`
	}
	d.Command = []string{"bash", "-c", find + ` -printf "%T@ %p\0" | sort -zrn | tail -zn +"$2" | cut -zd " " -f 2- | xargs -0rI{} find {} -maxdepth 0 -mmin +"$3" -delete`,
		dir, args.Pattern, strconv.FormatInt(args.Keep+1, 10), strconv.FormatInt(int64(args.Age/time.Minute), 10)}
	return d
}

func (p *provider) previewDelete(ctx context.Context, args deleteArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	old, kept, err := p.old(ctx, args, time.Now().Add(-args.Age))
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	impact := weigh(old)
	preview := sdk.PreviewResult{Impact: impact}
	for _, file := range old[:min(len(old), sampled)] {
		preview.Sample = append(preview.Sample, fmt.Sprintf("%s  %s, %s old", file.Path, phrase.Size(file.Size), phrase.Span(time.Since(file.ModTime).Seconds())))
	}
	preview.Summary = fmt.Sprintf("deletes %s of %s, %s; %d are kept", phrase.Count(impact["files"], "file", "files"),
		filepath.Join(p.absolute(args.Directory), args.Pattern), phrase.Size(impact["bytes"]), kept)
	return preview, nil
}
