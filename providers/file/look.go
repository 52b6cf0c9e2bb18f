package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const fileDoc = `One file: whether it exists, its size, age and permissions, and its hash. It is ok when it is a regular file, large and young enough, and has the expected hash.`

type fileArgs struct {
	Path     string         `runbook:"path" doc:"The file."`
	MinBytes int64          `runbook:"min_bytes" default:"0" doc:"The smallest size that is ok."`
	MaxAge   *time.Duration `runbook:"max_age" doc:"How long ago it may have been written; without one, any time is ok."`
	SHA256   string         `runbook:"sha256,optional" doc:"The hash that it must have, in hex."`
	Hash     bool           `runbook:"hash" default:"false" doc:"Whether to read it for its hash though none is expected."`
}

type fileResult struct {
	sdk.Result
	Exists     bool       `runbook:"exists" doc:"Whether anything is there."`
	Type       string     `runbook:"type" doc:"file, directory, link (one that leads to nothing, or out of the root), or other; empty where nothing is."`
	Bytes      *int64     `runbook:"bytes" doc:"Size of a file; null for all else."`
	ModifiedAt *time.Time `runbook:"modified_at" doc:"When it was written."`
	AgeSeconds *float64   `runbook:"age_seconds" doc:"How long ago that is."`
	Mode       string     `runbook:"mode" doc:"Permissions in octal, such as 0644."`
	SHA256     string     `runbook:"sha256" doc:"Hash of its content in hex, where one was asked for; else empty."`
}

func (p *provider) file(ctx context.Context, args fileArgs, _ *sdk.Call) (fileResult, error) {
	if f := p.check("path", args.Path); f != nil {
		return fileResult{}, f
	}
	name := p.absolute(args.Path)
	dir, err := p.open(filepath.Dir(name))
	if missing(err) {
		return fileResult{Result: sdk.NotOK("%s does not exist", name)}, nil
	}
	if err != nil {
		return fileResult{}, err
	}
	defer dir.Close()
	base := filepath.Base(name)
	info, err := dir.Root().Stat(base)
	if err != nil {
		return lost(dir, base, err)
	}
	age, at := time.Since(info.ModTime()).Seconds(), info.ModTime()
	result := fileResult{Exists: true, ModifiedAt: &at, AgeSeconds: &age, Mode: fmt.Sprintf("%04o", info.Mode().Perm())}
	switch {
	case info.IsDir():
		result.Type, result.Result = "directory", sdk.NotOK("%s is a folder, not a file", name)
		return result, nil
	case !info.Mode().IsRegular():
		result.Type, result.Result = "other", sdk.NotOK("%s is no regular file", name)
		return result, nil
	}
	size := info.Size()
	result.Type, result.Bytes = "file", &size
	if args.Hash || args.SHA256 != "" {
		if result.SHA256, _, err = dir.Sum(ctx, base); err != nil {
			return fileResult{}, ended(ctx, err)
		}
	}
	result.Result = result.judge(name, args)
	return result, nil
}

// lost is the answer where Stat finds nothing: a link that leads nowhere is
// something, after all.
func lost(dir *folder.Folder, base string, err error) (fileResult, error) {
	if info, found := dir.Root().Lstat(base); found == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fileResult{Exists: true, Type: "link", Result: sdk.NotOK("%s is a link that leads to nothing, or out of its folder", dir.Name(base))}, nil
	}
	err = folder.Failure("look at", dir.Name(base), err)
	if missing(err) {
		return fileResult{Result: sdk.NotOK("%s does not exist", dir.Name(base))}, nil
	}
	return fileResult{}, err
}

func (r fileResult) judge(name string, args fileArgs) sdk.Result {
	told := fmt.Sprintf("%s has %s and is %s old", name, phrase.Size(*r.Bytes), phrase.Span(max(0, *r.AgeSeconds)))
	switch {
	case *r.Bytes < args.MinBytes:
		return sdk.NotOK("%s; at least %s are expected", told, phrase.Size(args.MinBytes))
	case args.MaxAge != nil && *r.AgeSeconds > args.MaxAge.Seconds():
		return sdk.NotOK("%s; at most %s is ok", told, phrase.Span(args.MaxAge.Seconds()))
	case args.SHA256 != "" && !strings.EqualFold(args.SHA256, r.SHA256):
		return sdk.NotOK("%s; its SHA-256 is %s, not %s", told, r.SHA256, args.SHA256)
	}
	return sdk.OK("%s", told)
}

// missing tells whether a failure is that of a path where nothing is.
func missing(err error) bool {
	var f *schema.Failure
	return errors.As(err, &f) && f.Code == "file_missing"
}

// ended types the end of a context.
func ended(ctx context.Context, err error) error {
	var f *schema.Failure
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case ctx.Err() == context.DeadlineExceeded:
		f := sdk.Fail("timeout", "it took too long")
		f.Remedy = "allow it more time by timeout"
		return f
	}
	return sdk.Fail("cancelled", "it was cancelled")
}

const directoryDoc = `The files in a folder: how many match a pattern, how large they are together, and which is the newest. It is ok when the folder exists, the number is between min and
max, and the newest is young enough. Links are not counted.`

const (
	sampled = 10
	listed  = 1000
)

type directoryArgs struct {
	Path      string         `runbook:"path" doc:"The folder."`
	Pattern   string         `runbook:"pattern" default:"*" doc:"Glob over the files' names without their folders, such as backup_*.sql."`
	Recursive bool           `runbook:"recursive" default:"false" doc:"Whether folders below count too."`
	OlderThan *time.Duration `runbook:"older_than" doc:"Count only what was written longer ago."`
	NewerThan *time.Duration `runbook:"newer_than" doc:"Count only what was written since."`
	Keep      int64          `runbook:"keep" default:"0" doc:"Leave so many of the newest out of the count: those that file.delete_older_than would keep."`
	Min       int64          `runbook:"min" default:"1" doc:"The fewest files that are ok."`
	Max       *int64         `runbook:"max" doc:"The most that are ok; without one there is no upper bound."`
	MaxAge    *time.Duration `runbook:"max_age" doc:"How old the newest may be; without one, any age is ok."`
}

type found struct {
	Path       string    `runbook:"path" doc:"Path below the folder."`
	Bytes      int64     `runbook:"bytes" doc:"Its size."`
	ModifiedAt time.Time `runbook:"modified_at" doc:"When it was written."`
	AgeSeconds float64   `runbook:"age_seconds" doc:"How long ago that is."`
}

type directoryResult struct {
	sdk.Result
	Exists bool     `runbook:"exists" doc:"Whether the folder exists."`
	Files  int64    `runbook:"files" doc:"How many files there are."`
	Bytes  int64    `runbook:"bytes" doc:"Their sizes, added up."`
	Newest *found   `runbook:"newest" doc:"The one written last; null where there is none."`
	Oldest *found   `runbook:"oldest" doc:"The one written first; null where there is none."`
	Sample []string `runbook:"sample" doc:"The oldest ten, by their paths."`
	Paths  []string `runbook:"paths" doc:"Their paths below the folder, in order, up to 1000."`
}

func (p *provider) directory(ctx context.Context, args directoryArgs, _ *sdk.Call) (directoryResult, error) {
	if f := p.check("path", args.Path); f != nil {
		return directoryResult{}, f
	}
	if f := checkPattern(args.Pattern); f != nil {
		return directoryResult{}, f
	}
	if args.Keep < 0 {
		return directoryResult{}, sdk.InvalidArgument("keep", "keep must not be negative, got %d", args.Keep)
	}
	name, now := p.absolute(args.Path), time.Now()
	files, err := p.matching(ctx, name, args.Pattern, args.Recursive)
	if missing(err) {
		return directoryResult{Result: sdk.NotOK("%s does not exist", name)}, nil
	}
	if err != nil {
		return directoryResult{}, ended(ctx, err)
	}
	result := directoryResult{Exists: true}
	for _, file := range butNewest(files, args.Keep) {
		age := now.Sub(file.ModTime)
		if args.OlderThan != nil && age <= *args.OlderThan || args.NewerThan != nil && age > *args.NewerThan {
			continue
		}
		result.take(found{Path: file.Path, Bytes: file.Size, ModifiedAt: file.ModTime, AgeSeconds: age.Seconds()})
	}
	slices.Sort(result.Paths)
	result.Paths = result.Paths[:min(len(result.Paths), listed)]
	result.Result = result.judge(name, args)
	return result, nil
}

// butNewest are the files without so many of the newest, oldest first.
func butNewest(files []folder.File, keep int64) []folder.File {
	slices.SortStableFunc(files, func(a, b folder.File) int { return a.ModTime.Compare(b.ModTime) })
	return files[:max(0, int64(len(files))-keep)]
}

// matching are the files in a folder whose names match, in order of their paths.
func (p *provider) matching(ctx context.Context, dir, pattern string, recursive bool) ([]folder.File, error) {
	opened, err := p.open(dir)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	files, err := opened.Regular(ctx, ".", recursive)
	var matching []folder.File
	for _, file := range files {
		fits, _ := path.Match(pattern, path.Base(file.Path)) // the pattern was checked
		if fits {
			matching = append(matching, file)
		}
	}
	return matching, err
}

func checkPattern(pattern string) *schema.Failure {
	switch _, err := path.Match(pattern, ""); {
	case err != nil:
		return sdk.InvalidArgument("pattern", "%q is not a glob such as backup_*.sql", pattern)
	case pattern == "" || strings.Contains(pattern, "/"):
		return sdk.InvalidArgument("pattern", "pattern must match a name without folders, such as backup_*.sql")
	}
	return nil
}

func (r *directoryResult) take(one found) {
	r.Files++
	r.Bytes += one.Bytes
	if r.Newest == nil || one.ModifiedAt.After(r.Newest.ModifiedAt) {
		r.Newest = &one
	}
	if r.Oldest == nil || one.ModifiedAt.Before(r.Oldest.ModifiedAt) {
		r.Oldest = &one
	}
	if len(r.Sample) < sampled {
		r.Sample = append(r.Sample, one.Path)
	}
	r.Paths = append(r.Paths, one.Path)
}

func (r directoryResult) judge(name string, args directoryArgs) sdk.Result {
	told := fmt.Sprintf("%s in %s, %s", phrase.Count(r.Files, "file", "files"), filepath.Join(name, args.Pattern), phrase.Size(r.Bytes))
	if args.Keep > 0 {
		told += fmt.Sprintf(", without the newest %d", args.Keep)
	}
	if args.OlderThan != nil {
		told += fmt.Sprintf(", older than %s", phrase.Span(args.OlderThan.Seconds()))
	}
	switch {
	case r.Files < args.Min:
		return sdk.NotOK("%s; at least %d are expected", told, args.Min)
	case args.Max != nil && r.Files > *args.Max:
		return sdk.NotOK("%s; at most %d are ok", told, *args.Max)
	case args.MaxAge != nil && r.Newest == nil:
		return sdk.NotOK("%s", told)
	case args.MaxAge != nil && r.Newest.AgeSeconds > args.MaxAge.Seconds():
		return sdk.NotOK("%s; the newest is %s old", told, phrase.Span(r.Newest.AgeSeconds))
	}
	return sdk.OK("%s", told)
}
