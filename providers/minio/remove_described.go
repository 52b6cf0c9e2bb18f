package minio

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (p *provider) describeRemove(args removeArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: true,
		Effects:     []schema.Effect{{Resource: p.config.resource(args.Bucket, args.Prefix), Mode: schema.Delete}},
		Summary:     "removes old objects of " + args.Bucket,
	}
	if call.Unknown("bucket") {
		d.Effects[0].Resource, d.Summary = p.config.resource("", ""), "removes old objects of a bucket"
		return d
	}
	if call.Unknown("age") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil || call.Unknown("prefix") || call.Unknown("versions") {
		return d
	}
	d.Summary = fmt.Sprintf("removes what is older than %s from %s", ago(args.Age), at(args.Bucket, args.Prefix))
	d.Command = []string{"mc", "rm", "--recursive", "--force", "--older-than", ago(args.Age)}
	if args.Versions != nil && *args.Versions {
		d.Command = append(d.Command, "--versions")
	}
	d.Command = append(d.Command, under(p.config.Alias, args.Bucket, args.Prefix))
	return d
}

func (p *provider) previewRemove(ctx context.Context, args removeArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var preview sdk.PreviewResult
	err := p.use(ctx, func(s *server) error {
		d, err := s.deletion(ctx, args)
		if err != nil {
			return err
		}
		found, sample, err := d.count(ctx)
		preview = sdk.PreviewResult{Impact: schema.Impact{"objects": found.Objects, "bytes": found.Bytes}, Sample: sample}
		where := at(args.Bucket, args.Prefix)
		preview.Summary = fmt.Sprintf("removes %s from %s, %s", phrase.Count(found.Objects, "object", "objects"), where, phrase.Size(found.Bytes))
		switch {
		case d.keeps:
			preview.Summary = fmt.Sprintf("puts delete markers over %s in %s, which frees no space", phrase.Count(found.Objects, "object", "objects"), where)
		case d.versions:
			preview.Summary = fmt.Sprintf("removes %s and %s from %s, %s",
				phrase.Count(found.Objects, "version", "versions"), phrase.Count(found.Markers, "delete marker", "delete markers"), where, phrase.Size(found.Bytes))
		}
		return err
	})
	return preview, err
}
