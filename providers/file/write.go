package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const writeDoc = `Writes a text to a file, with the folders above it. The old file is there until the new one is whole and on disk. One with another content is only written over
where overwrite says so, which is destructive unless backup_to keeps the old content. Doing it again is harmless.`

type writeArgs struct {
	Path      string `runbook:"path" doc:"The file."`
	Content   string `runbook:"content" doc:"The text, as it is: no newline is added."`
	Mode      string `runbook:"mode,optional" doc:"Permissions in octal, such as 0640; without them those of the old file, or 0644."`
	Overwrite bool   `runbook:"overwrite" default:"false" doc:"Write over another content; else that is a failure, and nothing is written."`
	BackupTo  string `runbook:"backup_to,optional" doc:"A file to keep the old content in; refused where it holds something else already."`
}

type writeResult struct {
	sdk.Result
	Changed        bool   `runbook:"changed" doc:"Whether anything had to be written."`
	Files          int64  `runbook:"files" doc:"1 where it was written, else 0."`
	Bytes          int64  `runbook:"bytes" doc:"How many bytes were written."`
	Overwritten    int64  `runbook:"overwritten" doc:"1 where another content was there, else 0."`
	SHA256         string `runbook:"sha256" doc:"Hash of the content in hex."`
	PreviousSHA256 string `runbook:"previous_sha256" doc:"Hash of what was there before; empty where nothing was."`
	Backup         string `runbook:"backup" doc:"Where the old content is kept; empty where none had to be."`
}

func (p *provider) checkWrite(args writeArgs) (mode fs.FileMode, f *schema.Failure) {
	if f = p.check("path", args.Path); f != nil {
		return 0, f
	}
	if f = p.checkBackup(args.BackupTo, args.Path); f == nil && args.Mode != "" {
		mode, f = permissions(args.Mode)
	}
	return mode, f
}

// checkBackup says what is wrong with backup_to.
func (p *provider) checkBackup(aside, path string) *schema.Failure {
	switch {
	case aside == "":
		return nil
	case p.absolute(aside) == p.absolute(path):
		return sdk.InvalidArgument("backup_to", "backup_to is the file itself")
	}
	return p.check("backup_to", aside)
}

func (p *provider) planWrite(ctx context.Context, args writeArgs) (plan, error) {
	sum := sha256.Sum256([]byte(args.Content))
	t := target{path: p.absolute(args.Path), size: int64(len(args.Content)), sum: hex.EncodeToString(sum[:])}
	err := p.look(ctx, &t)
	return plan{t}, ended(ctx, err)
}

func (p *provider) write(ctx context.Context, args writeArgs, call *sdk.Call) (writeResult, error) {
	mode, f := p.checkWrite(args)
	if f != nil {
		return writeResult{}, sdk.Clean(f)
	}
	w, err := p.planWrite(ctx, args)
	if err == nil {
		err = w.check(args.Overwrite, call)
	}
	if err != nil {
		return writeResult{}, sdk.Clean(err)
	}
	t := w[0]
	impact := w.impact()
	result := writeResult{Changed: !t.same(), Files: impact["files"], Bytes: impact["bytes"], Overwritten: impact["overwritten"], SHA256: t.sum, PreviousSHA256: t.oldSum}
	if !result.Changed && (mode == 0 || mode == t.oldMode) {
		result.Result = sdk.OK("%s is as it should be", t.path)
		return result, nil
	}
	if err := p.replace(ctx, t, args.BackupTo, mode, func(w io.Writer) error { _, err := io.WriteString(w, args.Content); return err }); err != nil {
		return writeResult{}, err
	}
	if args.BackupTo != "" && result.Overwritten > 0 {
		result.Backup = p.absolute(args.BackupTo)
	}
	result.Changed = true
	result.Result = sdk.OK("wrote %s, %s", t.path, phrase.Size(t.size))
	return result, nil
}

func (p *provider) describeWrite(args writeArgs, call *sdk.Call) sdk.Description {
	unsure := call.Unknown("overwrite") || call.Unknown("backup_to")
	d := sdk.Description{Destructive: args.Overwrite && args.BackupTo == "" || unsure, Summary: "writes a file"}
	d.Effects = p.writes(args.Path, args.BackupTo, d.Destructive, call)
	if call.Unknown("path") {
		return d
	}
	d.Summary = "writes " + p.absolute(args.Path)
	if unsure || call.Unknown("mode") {
		return d
	}
	if _, d.Failure = p.checkWrite(args); d.Failure != nil {
		return d
	}
	content := args.Content
	if call.Unknown("content") || len(content) > shownContent || strings.ContainsRune(content, 0) {
		content = "$CONTENT"
	}
	d.Command = []string{"bash", "-c", `printf %s "$0" > "$1"`, content, p.absolute(args.Path)}
	return d
}

// shownContent bounds the content that is shown as a part of the command.
const shownContent = 4 << 10

// writes are the effects of writing one path and keeping what was there.
func (p *provider) writes(path, aside string, destroys bool, call *sdk.Call) []schema.Effect {
	mode := schema.Write
	if destroys {
		mode = schema.Delete
	}
	effects := []schema.Effect{{Resource: p.resource(path), Mode: mode}}
	if aside != "" || call.Unknown("backup_to") {
		effects = append(effects, schema.Effect{Resource: p.resource(aside), Mode: schema.Write})
	}
	return effects
}

func (p *provider) previewWrite(ctx context.Context, args writeArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	w, err := p.planWrite(ctx, args)
	if err == nil {
		err = w.check(args.Overwrite, nil)
	}
	if err == nil {
		_, err = p.aside(ctx, w[0], args.BackupTo)
	}
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	preview := w.foretold("writes "+w[0].path, args.BackupTo != "")
	preview.Effects = p.writes(args.Path, args.BackupTo, *preview.Destructive, call)
	if w[0].same() {
		preview.Summary = w[0].path + " is as it should be"
	}
	return preview, nil
}
