package docker

import (
	"context"
	"fmt"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const tagDoc = `Has a reference stand for an image, and looks whether it does. What it stood for before is in the result, for the way back: that image is kept, though without another
reference docker.prune takes it for dangling. Containers go on with the image that they were made from until docker.compose_up makes them anew. Doing it again is harmless.`

type tagArgs struct {
	Source string `runbook:"source" doc:"The image: a reference, or an ID such as one that an earlier step has noted."`
	Target string `runbook:"target" doc:"The reference that is to stand for it, such as registry:5000/api:current."`
}

type tagResult struct {
	sdk.Result
	Tags            int64  `runbook:"tags" doc:"1 where the reference was moved or made, 0 where it stood for that image already."`
	ImageID         string `runbook:"image_id" doc:"ID of the image."`
	PreviousImageID string `runbook:"previous_image_id" doc:"ID of what the reference stood for before; empty: it did not exist."`
}

func (args tagArgs) validate() *schema.Failure {
	if _, err := reference.ParseAnyReference(args.Source); err != nil {
		return sdk.InvalidArgument("source", "%q is neither a reference nor an ID of an image", args.Source)
	}
	target, err := reference.ParseNormalizedNamed(args.Target)
	if err != nil {
		return sdk.InvalidArgument("target", "%q is no reference such as registry:5000/api:v2", args.Target)
	}
	if _, digested := target.(reference.Digested); digested {
		return sdk.InvalidArgument("target", "%s has a digest; a digest stands for one image alone", args.Target)
	}
	return nil
}

// full is a reference with its tag, as the engine lists it.
func full(text string) string {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return text
	}
	return reference.FamiliarString(reference.TagNameOnly(named))
}

// aims are the IDs of the two references; the source must be there.
func (e *engine) aims(ctx context.Context, args tagArgs) (source, target string, err error) {
	found, err := e.ImageInspect(ctx, args.Source)
	if cerrdefs.IsNotFound(err) {
		f := sdk.Fail("image_missing", "there is no image %s on this engine", args.Source)
		f.Argument, f.Remedy = "source", "correct source, or build, pull or load the image first"
		return "", "", f
	}
	if err != nil {
		return "", "", err
	}
	target, err = e.imageID(ctx, args.Target)
	return found.ID, target, err
}

func (p *provider) tag(ctx context.Context, args tagArgs, _ *sdk.Call) (tagResult, error) {
	if f := args.validate(); f != nil {
		return tagResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return tagResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	result := tagResult{}
	if result.ImageID, result.PreviousImageID, err = e.aims(ctx, args); err != nil {
		return tagResult{}, sdk.Clean(e.failure(ctx, err))
	}
	if result.ImageID == result.PreviousImageID {
		result.Result = sdk.OK("%s is %s already", args.Target, short(result.ImageID))
		return result, nil
	}
	if _, err := e.ImageTag(ctx, client.ImageTagOptions{Source: result.ImageID, Target: args.Target}); err != nil {
		if answered(err) {
			return tagResult{}, sdk.Clean(e.failure(ctx, err))
		}
		return tagResult{}, e.sent(ctx, err)
	}
	now, err := e.imageID(ctx, args.Target)
	if err != nil {
		return tagResult{}, e.failure(ctx, err)
	}
	if now != result.ImageID {
		f := sdk.Fail("not_tagged", "%s was tagged as %s, and is %s", args.Target, short(result.ImageID), short(now))
		f.Remedy = "see who tags it meanwhile"
		return tagResult{}, f
	}
	result.Tags = 1
	result.Result = sdk.OK("%s is %s now", args.Target, short(now))
	return result, nil
}

func (p *provider) describeTag(args tagArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Summary: "tags an image", Effects: []schema.Effect{p.config.effect(schema.Write, "images")}}
	if call.Unknown("source") || call.Unknown("target") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Effects[0] = p.config.effect(schema.Write, "images", full(args.Target))
	d.Summary = fmt.Sprintf("tags %s as %s", args.Source, args.Target)
	d.Command = []string{"docker", "tag", args.Source, args.Target}
	return d
}

func (p *provider) previewTag(ctx context.Context, args tagArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := args.validate(); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		source, target, err := e.aims(ctx, args)
		switch {
		case err != nil:
			return err
		case target == source:
			preview.Impact, preview.Sample = schema.Impact{"tags": 0}, []string{fmt.Sprintf("%s is %s already", full(args.Target), short(source))}
		case target == "":
			preview.Impact, preview.Sample = schema.Impact{"tags": 1}, []string{fmt.Sprintf("%s becomes %s; it does not exist yet", full(args.Target), short(source))}
		default:
			preview.Impact, preview.Sample = schema.Impact{"tags": 1}, []string{fmt.Sprintf("%s becomes %s; it was %s", full(args.Target), short(source), short(target))}
		}
		return nil
	})
	return preview, err
}
