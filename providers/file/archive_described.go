package file

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// impact counts what goes into the archive; of one that is there already nothing
// is written.
func (a *packing) impact() schema.Impact {
	impact := schema.Impact{"files": int64(len(a.files)), "bytes": a.bytes, "overwritten": 0}
	if a.same() {
		impact["files"], impact["bytes"] = 0, 0
	} else if a.exists {
		impact["overwritten"] = 1
	}
	return impact
}

func (a *packing) check(overwrite bool, call *sdk.Call) error {
	if err := (plan{a.target}).check(overwrite, nil); err != nil || call == nil {
		return err
	}
	return within(a.impact(), call)
}

func (p *provider) describeArchive(args archiveArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: args.Overwrite || call.Unknown("overwrite"), Summary: "packs an archive"}
	d.Effects = append([]schema.Effect{{Resource: p.resource(args.Directory), Mode: schema.Read}}, p.writes(args.To, "", d.Destructive, call)...)
	for _, name := range []string{"to", "directory", "paths", "overwrite"} {
		if call.Unknown(name) {
			return d
		}
	}
	if d.Failure = p.checkArchive(args); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("packs %s of %s into %s", phrase.Count(int64(len(args.Paths)), "path", "paths"), p.absolute(args.Directory), p.absolute(args.To))
	options := "-cf"
	if zipped(args.To) {
		options = "-czf"
	}
	d.Command = append([]string{"tar", options, p.absolute(args.To), "-C", p.absolute(args.Directory), "--"}, args.Paths...)
	return d
}

func (p *provider) previewArchive(ctx context.Context, args archiveArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	a, err := p.planArchive(ctx, args)
	if err != nil {
		return sdk.PreviewResult{}, ended(ctx, err)
	}
	defer a.from.Close()
	if err := a.check(args.Overwrite, nil); err != nil {
		return sdk.PreviewResult{}, err
	}
	impact := a.impact()
	destroys := impact["overwritten"] > 0
	preview := sdk.PreviewResult{Impact: impact, Destructive: &destroys}
	preview.Effects = append([]schema.Effect{{Resource: p.resource(args.Directory), Mode: schema.Read}}, p.writes(args.To, "", destroys, call)...)
	for _, file := range a.files[:min(len(a.files), sampled)] {
		preview.Sample = append(preview.Sample, file.Path)
	}
	preview.Summary = fmt.Sprintf("packs %s, %s, into %s", phrase.Count(impact["files"], "file", "files"), phrase.Size(impact["bytes"]), a.path)
	switch {
	case a.same():
		preview.Summary = fmt.Sprintf("%s holds these %s already", a.path, phrase.Count(int64(len(a.files)), "file", "files"))
	case destroys:
		preview.Summary += ", in place of another"
	}
	return preview, nil
}
