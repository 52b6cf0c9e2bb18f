package file

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const copyDoc = `Copies a file, or a folder with all that is in it, with its permissions. What is there already with the same content is left alone, and each copy is compared, by
its hash, with what was read. A file with another content is only written over where overwrite says so, which is destructive unless backup_to keeps the old content.
A link, or what is no regular file, stops it before anything is done. Doing it again is harmless.`

type copyArgs struct {
	From      string `runbook:"from" doc:"A file or a folder."`
	To        string `runbook:"to" doc:"What the copy is to be called: a file for a file, a folder for a folder. Folders are made where they are missing."`
	Overwrite bool   `runbook:"overwrite" default:"false" doc:"Write over another content; else that is a failure, and nothing is copied."`
	BackupTo  string `runbook:"backup_to,optional" doc:"A file to keep the old content in, for the copy of one file; refused where it holds something else already."`
}

type copyResult struct {
	sdk.Result
	Files          int64  `runbook:"files" doc:"How many files were copied, and verified."`
	Bytes          int64  `runbook:"bytes" doc:"Their sizes, added up."`
	Overwritten    int64  `runbook:"overwritten" doc:"How many of them took the place of another content."`
	Unchanged      int64  `runbook:"unchanged" doc:"How many were there already with the same content."`
	PreviousSHA256 string `runbook:"previous_sha256" doc:"For one file, the hash of what was there before; empty where nothing was."`
	Backup         string `runbook:"backup" doc:"Where the old content is kept; empty where none had to be."`
}

func (p *provider) checkCopy(args copyArgs) *schema.Failure {
	if f := p.check("from", args.From); f != nil {
		return f
	}
	if f := p.check("to", args.To); f != nil {
		return f
	}
	from, to := p.absolute(args.From), p.absolute(args.To)
	for _, pair := range [][2]string{{from, to}, {to, from}} {
		if within, err := filepath.Rel(pair[0], pair[1]); err == nil && filepath.IsLocal(within) {
			return sdk.InvalidArgument("to", "one of %s and %s lies within the other", from, to)
		}
	}
	return p.checkBackup(args.BackupTo, args.To)
}

// copying is a copy thought through: where each file comes from, in the order of
// the plan.
type copying struct {
	plan
	from  *folder.Folder
	files []folder.File
}

func (p *provider) planCopy(ctx context.Context, args copyArgs) (c *copying, err error) {
	from, to := p.absolute(args.From), p.absolute(args.To)
	parent, err := p.open(filepath.Dir(from))
	if err != nil {
		return nil, err
	}
	base := filepath.Base(from)
	info, err := parent.Root().Stat(base)
	if err != nil {
		parent.Close()
		return nil, folder.Failure("read", from, err)
	}
	c = &copying{from: parent, files: []folder.File{{Path: base, Size: info.Size(), Mode: info.Mode().Perm()}}}
	names := []string{to}
	if info.IsDir() {
		parent.Close()
		if args.BackupTo != "" {
			return nil, sdk.InvalidArgument("backup_to", "backup_to is for the copy of one file, and %s is a folder", from)
		}
		if c.from, err = p.open(from); err != nil {
			return nil, err
		}
		c.files, err = c.from.Files(ctx, ".")
		names = nil
		for _, file := range c.files {
			names = append(names, below(to, file.Path))
		}
	}
	for i := 0; err == nil && i < len(names); i++ {
		t := target{path: names[i], size: c.files[i].Size}
		if t.sum, t.size, err = c.from.Sum(ctx, c.files[i].Path); err == nil {
			err = p.look(ctx, &t)
		}
		c.plan = append(c.plan, t)
	}
	if err != nil {
		c.from.Close()
		return nil, err
	}
	return c, nil
}

func (p *provider) copy(ctx context.Context, args copyArgs, call *sdk.Call) (copyResult, error) {
	if f := p.checkCopy(args); f != nil {
		return copyResult{}, sdk.Clean(f)
	}
	c, err := p.planCopy(ctx, args)
	if err != nil {
		return copyResult{}, sdk.Clean(ended(ctx, err))
	}
	defer c.from.Close()
	if err := c.check(args.Overwrite, call); err != nil {
		return copyResult{}, sdk.Clean(err)
	}
	var result copyResult
	if len(c.plan) == 1 {
		result.PreviousSHA256 = c.plan[0].oldSum
	}
	for i, t := range c.plan {
		if t.same() {
			result.Unchanged++
			continue
		}
		if err := p.copyOne(ctx, c.from, c.files[i], t, args.BackupTo); err != nil {
			if result.Files == 0 {
				return copyResult{}, err
			}
			return copyResult{}, partly(err, "after %d of %s", result.Files, phrase.Count(int64(len(c.plan)), "file", "files"))
		}
		result.Files++
		result.Bytes += t.size
		if t.exists {
			result.Overwritten++
			if args.BackupTo != "" {
				result.Backup = p.absolute(args.BackupTo)
			}
		}
		call.Progress(float64(result.Files+result.Unchanged), float64(len(c.plan)), "%s copied", phrase.Count(result.Files, "file", "files"))
	}
	result.Result = sdk.OK("copied %s, %s, from %s to %s; %d were there already", phrase.Count(result.Files, "file", "files"), phrase.Size(result.Bytes),
		p.absolute(args.From), p.absolute(args.To), result.Unchanged)
	return result, nil
}

func (p *provider) copyOne(ctx context.Context, from *folder.Folder, file folder.File, t target, aside string) error {
	source, err := from.Open(file.Path)
	if err != nil {
		return sdk.Clean(err)
	}
	defer func() { _ = source.Close() }()
	return p.replace(ctx, t, aside, max(file.Mode, 0o400), func(w io.Writer) error {
		_, err := io.Copy(w, folder.Until(ctx, source))
		return err
	})
}

func (p *provider) describeCopy(args copyArgs, call *sdk.Call) sdk.Description {
	unsure := call.Unknown("overwrite") || call.Unknown("backup_to")
	d := sdk.Description{Destructive: args.Overwrite && args.BackupTo == "" || unsure, Summary: "copies files"}
	d.Effects = append([]schema.Effect{{Resource: p.resource(args.From), Mode: schema.Read}}, p.writes(args.To, args.BackupTo, d.Destructive, call)...)
	if call.Unknown("from") || call.Unknown("to") || unsure {
		return d
	}
	if d.Failure = p.checkCopy(args); d.Failure != nil {
		return d
	}
	from, to := p.absolute(args.From), p.absolute(args.To)
	d.Summary = fmt.Sprintf("copies %s to %s", from, to)
	d.Command = []string{"cp", "-rT", "--preserve=mode"}
	if !args.Overwrite {
		d.Command = append(d.Command, "--no-clobber")
	}
	d.Command = append(d.Command, from, to)
	return d
}

func (p *provider) previewCopy(ctx context.Context, args copyArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	c, err := p.planCopy(ctx, args)
	if err != nil {
		return sdk.PreviewResult{}, ended(ctx, err)
	}
	defer c.from.Close()
	if err := c.check(args.Overwrite, nil); err != nil {
		return sdk.PreviewResult{}, err
	}
	for _, t := range c.plan {
		if _, err := p.aside(ctx, t, args.BackupTo); err != nil {
			return sdk.PreviewResult{}, err
		}
	}
	preview := c.foretold(fmt.Sprintf("copies %s to %s", p.absolute(args.From), p.absolute(args.To)), args.BackupTo != "")
	preview.Effects = append([]schema.Effect{{Resource: p.resource(args.From), Mode: schema.Read}}, p.writes(args.To, args.BackupTo, *preview.Destructive, call)...)
	return preview, nil
}
