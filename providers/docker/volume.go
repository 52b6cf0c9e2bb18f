package docker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// anonymous tells whether nobody named a volume. Engines from API 1.42 on put a
// label on it; before, only its name tells, which is 64 hex digits.
func anonymous(v volume.Volume) bool {
	if _, labelled := v.Labels["com.docker.volume.anonymous"]; labelled {
		return true
	}
	_, composed := v.Labels[projectLabel]
	return !composed && hexName.MatchString(v.Name)
}

var hexName = regexp.MustCompile(`^[0-9a-f]{64}$`)

const volumeRemoveDoc = `Removes volumes with all that is in them, by their names, and looks whether they are gone. There is no way back: copy what matters first. A volume that a container uses,
even a stopped one, is refused before any is removed. The preview names each with its size. One that does not exist is left out; doing it again is harmless.`

type volumeRemoveArgs struct {
	Volumes []string `runbook:"volumes" doc:"Names of the volumes."`
}

type volumeRemoveResult struct {
	sdk.Result
	Volumes int64    `runbook:"volumes" doc:"How many were removed."`
	Bytes   int64    `runbook:"bytes" doc:"What was in them, as far as the engine could measure it."`
	Removed []string `runbook:"removed" doc:"Their names."`
	Missing []string `runbook:"missing" doc:"Those that did not exist."`
}

func (args volumeRemoveArgs) validate() *schema.Failure {
	if len(args.Volumes) == 0 || slices.Contains(args.Volumes, "") {
		return sdk.InvalidArgument("volumes", "volumes names none, or one without a name")
	}
	return nil
}

// volumes are the volumes with these names that are there and that no container
// uses. One that is used is an error.
func (e *engine) volumes(ctx context.Context, names []string) (there []volume.Volume, missing []string, err error) {
	users, err := e.volumeUsers(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		found, err := e.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
		switch used := users[name]; {
		case cerrdefs.IsNotFound(err):
			missing = append(missing, name)
			continue
		case err != nil:
			return nil, nil, err
		case len(used) > 0:
			f := sdk.Fail("in_use", "the volume %s is used by %s", name, listed(used))
			f.Remedy = "remove those containers first, stopped ones included: docker.compose_down does for a compose project"
			return nil, nil, f
		}
		there = append(there, found.Volume)
	}
	return there, missing, nil
}

// volumeUsers are the containers that use each volume, by its name.
func (e *engine) volumeUsers(ctx context.Context) (map[string][]string, error) {
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, err
	}
	users := map[string][]string{}
	for _, c := range containers.Items {
		for _, mount := range c.Mounts {
			if mount.Name != "" {
				users[mount.Name] = append(users[mount.Name], containerName(c.Names, c.ID))
			}
		}
	}
	return users, nil
}

func containerName(names []string, id string) string {
	if len(names) > 0 {
		return strings.TrimPrefix(names[0], "/")
	}
	return short(id)
}

func (p *provider) volumeRemove(ctx context.Context, args volumeRemoveArgs, call *sdk.Call) (volumeRemoveResult, error) {
	if f := args.validate(); f != nil {
		return volumeRemoveResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return volumeRemoveResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	there, missing, err := e.volumes(ctx, args.Volumes)
	if err != nil {
		return volumeRemoveResult{}, sdk.Clean(e.failure(ctx, err))
	}
	sizes, err := e.volumeBytes(ctx)
	if err != nil {
		return volumeRemoveResult{}, sdk.Clean(e.failure(ctx, err))
	}
	if f := limited(call, volumeImpact(there, sizes), "removed", "name fewer volumes, or raise limit"); f != nil {
		return volumeRemoveResult{}, sdk.Clean(f)
	}
	result := volumeRemoveResult{Missing: missing}
	for _, v := range there {
		_, err := e.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
		switch {
		case cerrdefs.IsNotFound(err):
			result.Missing = append(result.Missing, v.Name)
			continue
		case err != nil && result.Volumes == 0 && answered(err):
			return volumeRemoveResult{}, sdk.Clean(e.failure(ctx, err))
		case err != nil:
			return volumeRemoveResult{}, fmt.Errorf("after removing %s: %w", phrase.Count(result.Volumes, "volume", "volumes"), e.sent(ctx, err))
		}
		result.Volumes++
		result.Bytes += sizes[v.Name]
		result.Removed = append(result.Removed, v.Name)
	}
	left, _, err := e.volumes(ctx, args.Volumes)
	if err != nil {
		return volumeRemoveResult{}, e.failure(ctx, err)
	}
	if len(left) > 0 {
		f := sdk.Fail("not_removed", "the volume %s is there again", left[0].Name)
		f.Remedy = "see who makes it anew"
		return volumeRemoveResult{}, f
	}
	result.Result = sdk.OK("removed %s with %s", phrase.Count(result.Volumes, "volume", "volumes"), phrase.Size(result.Bytes))
	return result, nil
}

func volumeImpact(there []volume.Volume, sizes map[string]int64) schema.Impact {
	impact := schema.Impact{"volumes": int64(len(there)), "bytes": 0}
	for _, v := range there {
		impact["bytes"] += sizes[v.Name]
	}
	return impact
}

func (p *provider) describeVolumeRemove(args volumeRemoveArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: true, Summary: "removes volumes", Effects: []schema.Effect{p.config.effect(schema.Delete, "volumes")}}
	if call.Unknown("volumes") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Effects = nil
	for _, name := range args.Volumes {
		d.Effects = append(d.Effects, p.config.effect(schema.Delete, "volumes", name))
	}
	d.Summary = "removes " + listed(args.Volumes)
	d.Command = append([]string{"docker", "volume", "rm"}, args.Volumes...)
	return d
}

func (p *provider) previewVolumeRemove(ctx context.Context, args volumeRemoveArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := args.validate(); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		there, missing, err := e.volumes(ctx, args.Volumes)
		if err != nil {
			return err
		}
		sizes, err := e.volumeBytes(ctx)
		if err != nil {
			return err
		}
		preview.Impact = volumeImpact(there, sizes)
		r := removal{sizes: sizes}
		for _, v := range there {
			preview.Sample = append(preview.Sample, fmt.Sprintf("%s  %s", v.Name, r.size(v.Name)))
		}
		for _, name := range missing {
			preview.Sample = append(preview.Sample, name+"  does not exist")
		}
		return nil
	})
	return preview, err
}
