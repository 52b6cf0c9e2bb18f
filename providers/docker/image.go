package docker

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const imageDoc = `What a reference stands for on this engine: a registry is not asked. It is ok when there is such an image, it is the one with the expected id, is young enough, and has
the expected labels. used_by says which containers were made from that very image, whatever its name was then.`

type imageArgs struct {
	Image  string            `runbook:"image" doc:"Reference, such as registry:5000/api:v2, or an ID."`
	ID     string            `runbook:"id,optional" doc:"The ID that it must have, such as one that an earlier step has noted."`
	MaxAge *time.Duration    `runbook:"max_age" doc:"The greatest age that is ok, since it was built; without one any is."`
	Labels map[string]string `runbook:"labels,optional" doc:"Labels that it must have, with these values."`
}

type imageResult struct {
	sdk.Result
	Exists       bool              `runbook:"exists" doc:"Whether there is such an image."`
	ID           string            `runbook:"id" doc:"Its ID; empty where there is none."`
	Tags         []string          `runbook:"tags" doc:"References that stand for it."`
	Digests      []string          `runbook:"digests" doc:"Digests under which registries know it; none where it was made here."`
	Created      *time.Time        `runbook:"created" doc:"When it was built; null where it does not say."`
	AgeSeconds   *float64          `runbook:"age_seconds" doc:"How long ago that is, by this machine's clock."`
	Bytes        *int64            `runbook:"bytes" doc:"Size, layers that it shares with others included."`
	Architecture string            `runbook:"architecture" doc:"Processor that it is for, such as amd64."`
	OS           string            `runbook:"os" doc:"Operating system that it is for, such as linux."`
	Labels       map[string]string `runbook:"labels" doc:"Its labels."`
	UsedBy       []string          `runbook:"used_by" doc:"Containers made from it, stopped ones included."`
}

func (p *provider) image(ctx context.Context, args imageArgs, _ *sdk.Call) (imageResult, error) {
	if args.Image == "" {
		return imageResult{}, sdk.InvalidArgument("image", "image is empty")
	}
	var result imageResult
	err := p.use(ctx, func(e *engine) error {
		found, err := e.ImageInspect(ctx, args.Image)
		if cerrdefs.IsNotFound(err) {
			result.Result = sdk.NotOK("there is no image %s on this engine", args.Image)
			return nil
		}
		if err != nil {
			return err
		}
		result = imageResult{
			Exists: true, ID: found.ID, Tags: found.RepoTags, Digests: found.RepoDigests, Created: moment(found.Created), Bytes: &found.Size,
			Architecture: found.Architecture, OS: found.Os, Labels: map[string]string{},
		}
		if found.Config != nil && found.Config.Labels != nil {
			result.Labels = found.Config.Labels
		}
		if result.Created != nil {
			age := time.Since(*result.Created).Seconds()
			result.AgeSeconds = &age
		}
		containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true})
		for _, c := range containers.Items {
			if c.ImageID == found.ID && len(c.Names) > 0 {
				result.UsedBy = append(result.UsedBy, strings.TrimPrefix(c.Names[0], "/"))
			}
		}
		slices.Sort(result.UsedBy)
		result.Result = result.judge(args)
		return err
	})
	if err != nil {
		return imageResult{}, err
	}
	return result, nil
}

func (r imageResult) judge(args imageArgs) sdk.Result {
	if args.ID != "" && args.ID != r.ID {
		return sdk.NotOK("%s is %s, and must be %s", args.Image, short(r.ID), short(args.ID))
	}
	if args.MaxAge != nil && r.AgeSeconds == nil {
		return sdk.NotOK("%s does not say how old it is", args.Image)
	}
	if args.MaxAge != nil && *r.AgeSeconds > args.MaxAge.Seconds() {
		return sdk.NotOK("%s was built %s ago, at most %s is ok", args.Image, phrase.Span(*r.AgeSeconds), *args.MaxAge)
	}
	for _, label := range slices.Sorted(maps.Keys(args.Labels)) {
		if value, has := r.Labels[label]; !has || value != args.Labels[label] {
			return sdk.NotOK("the label %s of %s is %q, and must be %q", label, args.Image, value, args.Labels[label])
		}
	}
	return sdk.OK("%s is %s", args.Image, short(r.ID))
}

// short is an image's ID as people tell it.
func short(id string) string {
	hex := strings.TrimPrefix(id, "sha256:")
	return hex[:min(12, len(hex))]
}
