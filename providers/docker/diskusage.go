package docker

import (
	"context"

	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const diskUsageDoc = `How much room the engine's images, containers, volumes and build cache take, and how much of that nothing uses. It is ok where they take no more than max_bytes, and no
more than max_reclaimable is unused. The engine measures anew, which can take its time. Logs of containers are not in it.`

type diskUsageArgs struct {
	MaxBytes       *int64 `runbook:"max_bytes" doc:"How many bytes are ok in all; without it any number is."`
	MaxReclaimable *int64 `runbook:"max_reclaimable" doc:"How many bytes may be unused; without it any number may."`
}

// usage is how much room things of one kind take.
type usage struct {
	Count       int64 `runbook:"count" doc:"How many there are."`
	Active      int64 `runbook:"active" doc:"How many of them are in use."`
	Bytes       int64 `runbook:"bytes" doc:"How much room they take."`
	Reclaimable int64 `runbook:"reclaimable" doc:"How much of it nothing uses."`
}

type diskUsageResult struct {
	sdk.Result
	Bytes       int64 `runbook:"bytes" doc:"Room that all of them take."`
	Reclaimable int64 `runbook:"reclaimable" doc:"How much of it nothing uses."`
	Images      usage `runbook:"images" doc:"Images; layers that several share count once."`
	Containers  usage `runbook:"containers" doc:"What containers have written, outside of volumes."`
	Volumes     usage `runbook:"volumes" doc:"Volumes."`
	BuildCache  usage `runbook:"build_cache" doc:"Build cache."`
}

func (p *provider) diskUsage(ctx context.Context, args diskUsageArgs, _ *sdk.Call) (diskUsageResult, error) {
	for name, bound := range map[string]*int64{"max_bytes": args.MaxBytes, "max_reclaimable": args.MaxReclaimable} {
		if bound != nil && *bound < 0 {
			return diskUsageResult{}, sdk.InvalidArgument(name, "%s must not be negative, got %d", name, *bound)
		}
	}
	var result diskUsageResult
	err := p.use(ctx, func(e *engine) error {
		du, err := e.DiskUsage(ctx, client.DiskUsageOptions{Containers: true, Images: true, BuildCache: true, Volumes: true, Verbose: true})
		if err != nil {
			return err
		}
		result = diskUsageResult{
			Images:     usage{du.Images.TotalCount, du.Images.ActiveCount, du.Images.TotalSize, du.Images.Reclaimable},
			Containers: usage{du.Containers.TotalCount, du.Containers.ActiveCount, du.Containers.TotalSize, du.Containers.Reclaimable},
			Volumes:    usage{du.Volumes.TotalCount, du.Volumes.ActiveCount, du.Volumes.TotalSize, du.Volumes.Reclaimable},
			BuildCache: usage{du.BuildCache.TotalCount, du.BuildCache.ActiveCount, du.BuildCache.TotalSize, du.BuildCache.Reclaimable},
		}
		for _, kind := range []usage{result.Images, result.Containers, result.Volumes, result.BuildCache} {
			result.Bytes += kind.Bytes
			result.Reclaimable += kind.Reclaimable
		}
		result.Result = result.judge(args)
		return nil
	})
	if err != nil {
		return diskUsageResult{}, err
	}
	return result, nil
}

func (r diskUsageResult) judge(args diskUsageArgs) sdk.Result {
	result := sdk.OK("the engine holds %s, of which nothing uses %s", phrase.Size(r.Bytes), phrase.Size(r.Reclaimable))
	over := func(n int64, bound *int64) bool { return bound != nil && n > *bound }
	result.OK = !over(r.Bytes, args.MaxBytes) && !over(r.Reclaimable, args.MaxReclaimable)
	return result
}

// volumeBytes is the room that each volume takes, by name; one that the engine
// cannot measure is missing.
func (e *engine) volumeBytes(ctx context.Context) (map[string]int64, error) {
	du, err := e.DiskUsage(ctx, client.DiskUsageOptions{Volumes: true, Verbose: true})
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, v := range du.Volumes.Items {
		if v.UsageData != nil && v.UsageData.Size >= 0 {
			sizes[v.Name] = v.UsageData.Size
		}
	}
	return sizes, nil
}

// limited is the failure where a limit is passed, which the action enforces.
func limited(call *sdk.Call, impact schema.Impact, verb, remedy string) *schema.Failure {
	for unit, n := range impact {
		if limit, has := call.Limit(unit); has && n > limit {
			f := sdk.Fail("limit_exceeded", "%d %s would be %s, the limit is %d", n, unit, verb, limit)
			f.Remedy = remedy
			return f
		}
	}
	return nil
}
