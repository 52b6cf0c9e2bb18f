package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const composeDownDoc = `Stops and removes the containers and networks of a compose project, and looks whether they are gone. Images and volumes stay, unless volumes is set: then the data
in the volumes of the project goes too, named ones included, which is destructive; external volumes stay even then. remove_orphans also takes containers of services that
the file does not have, and is destructive. The preview counts what goes. docker.compose_up makes containers anew; previous tells what they ran. Doing it again is harmless.`

type composeDownArgs struct {
	which
	Volumes       bool           `runbook:"volumes" default:"false" doc:"Remove the project's volumes with all that is in them. Destructive."`
	RemoveOrphans bool           `runbook:"remove_orphans" default:"false" doc:"Remove containers of the project whose service the file does not have. Destructive."`
	StopTimeout   *time.Duration `runbook:"stop_timeout" doc:"How long a container may take to end before it is killed; without one, what it was made with, 10s as a rule."`
}

type composeDownResult struct {
	sdk.Result
	Project    string                 `runbook:"project" doc:"Name of the project."`
	Containers int64                  `runbook:"containers" doc:"How many containers were removed."`
	Volumes    int64                  `runbook:"volumes" doc:"How many volumes were removed."`
	Bytes      int64                  `runbook:"bytes" doc:"What was in the volumes, as far as the engine could measure it."`
	Removed    []string               `runbook:"removed" doc:"Names of the containers and volumes."`
	Previous   map[string]imageBefore `runbook:"previous" doc:"What the services ran, by service."`
}

func (p *provider) checkDown(args *composeDownArgs) (f *schema.Failure) {
	if args.which, f = p.filed(args.which); f != nil {
		return f
	}
	return checkStopTimeout(args.StopTimeout)
}

func (args composeDownArgs) flags() []string {
	flags := []string{"down"}
	if args.Volumes {
		flags = append(flags, "--volumes")
	}
	if args.RemoveOrphans {
		flags = append(flags, "--remove-orphans")
	}
	if args.StopTimeout != nil {
		flags = append(flags, "--timeout", strconv.Itoa(seconds(*args.StopTimeout)))
	}
	return flags
}

// removal is what compose down takes.
type removal struct {
	containers []containerState
	volumes    []string
	sizes      map[string]int64
}

func (p *provider) removal(ctx context.Context, call *sdk.Call, e *engine, args composeDownArgs) (*removal, error) {
	m, err := p.model(ctx, call, args.which)
	if err != nil {
		return nil, err
	}
	found, err := e.containers(ctx, args.Project)
	if err != nil {
		return nil, err
	}
	r := &removal{sizes: map[string]int64{}}
	for _, c := range found {
		if _, known := m.Services[c.Service]; known || args.RemoveOrphans {
			r.containers = append(r.containers, c)
		}
	}
	if !args.Volumes {
		return r, nil
	}
	if r.volumes, err = e.volumesOf(ctx, m, r.containers); err != nil {
		return nil, err
	}
	r.sizes, err = e.volumeBytes(ctx)
	return r, err
}

// volumesOf are the volumes that go with a project: those that its file names,
// and the anonymous ones of its containers.
func (e *engine) volumesOf(ctx context.Context, m *model, containers []containerState) ([]string, error) {
	there, err := e.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, v := range there.Items {
		named := false
		for _, declared := range m.Volumes {
			named = named || declared.Name == v.Name && !declared.External
		}
		owned := slices.ContainsFunc(containers, func(c containerState) bool { return anonymous(v) && slices.Contains(c.volumes, v.Name) })
		if named || owned {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (r *removal) impact() schema.Impact {
	impact := schema.Impact{"containers": int64(len(r.containers)), "volumes": int64(len(r.volumes)), "bytes": 0}
	for _, name := range r.volumes {
		impact["bytes"] += r.sizes[name]
	}
	return impact
}

func (p *provider) composeDown(ctx context.Context, args composeDownArgs, call *sdk.Call) (composeDownResult, error) {
	if f := p.checkDown(&args); f != nil {
		return composeDownResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return composeDownResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	r, err := p.removal(ctx, call, e, args)
	if err != nil {
		return composeDownResult{}, sdk.Clean(e.failure(ctx, err))
	}
	impact := r.impact()
	if f := limited(call, impact, "removed", "leave out volumes or remove_orphans, or raise limit"); f != nil {
		return composeDownResult{}, sdk.Clean(f)
	}
	if _, err := p.composed(ctx, call, args.which, true, args.flags()...); err != nil {
		return composeDownResult{}, err
	}
	left, err := p.removal(ctx, call, e, args)
	if err != nil {
		return composeDownResult{}, e.failure(ctx, err)
	}
	if still := append(namesOf(left.containers), left.volumes...); len(still) > 0 {
		f := sdk.Fail("not_removed", "after docker compose down there are still %s", listed(still))
		f.Remedy = "see the step's log for what compose said of them: a container of another project may use a volume"
		return composeDownResult{}, f
	}
	services := make([]string, 0, len(r.containers))
	for _, c := range r.containers {
		services = append(services, c.Service)
	}
	result := composeDownResult{
		Project: args.Project, Containers: impact["containers"], Volumes: impact["volumes"], Bytes: impact["bytes"],
		Removed: append(namesOf(r.containers), r.volumes...), Previous: previous(r.containers, services),
	}
	result.Result = sdk.OK("removed %s and %s of %s", phrase.Count(result.Containers, "container", "containers"), phrase.Count(result.Volumes, "volume", "volumes"), args.Project)
	return result, nil
}

func (p *provider) describeComposeDown(args composeDownArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Summary: "removes containers and networks of a compose project", Effects: []schema.Effect{p.config.effect(schema.Write, "projects")}}
	d.Destructive = args.Volumes || args.RemoveOrphans || call.Unknown("volumes") || call.Unknown("remove_orphans")
	if call.Unknown("project") || call.Unknown("project_dir") {
		return d
	}
	if d.Failure = p.checkDown(&args); d.Failure != nil {
		return d
	}
	mode := schema.Write
	if d.Destructive {
		mode = schema.Delete
	}
	d.Effects[0] = p.config.effect(mode, "projects", args.Project)
	d.Summary = "removes containers and networks of " + args.Project
	if args.Volumes {
		d.Summary = "removes containers, networks and volumes of " + args.Project
		d.Effects = append(d.Effects, p.config.effect(schema.Delete, "volumes"))
	}
	d.Command = p.command(args.which, args.flags()...)
	return d
}

func (p *provider) previewComposeDown(ctx context.Context, args composeDownArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.checkDown(&args); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		r, err := p.removal(ctx, call, e, args)
		if err != nil {
			return err
		}
		preview.Impact = r.impact()
		for _, c := range r.containers {
			preview.Sample = append(preview.Sample, "container "+phraseOf(c)+", "+c.since())
		}
		mode := schema.Write
		if args.Volumes || args.RemoveOrphans {
			mode = schema.Delete
		}
		preview.Effects = []schema.Effect{p.config.effect(mode, "projects", args.Project)}
		for _, name := range r.volumes {
			preview.Sample = append(preview.Sample, fmt.Sprintf("volume %s  %s", name, r.size(name)))
			preview.Effects = append(preview.Effects, p.config.effect(schema.Delete, "volumes", name))
		}
		preview.Summary = fmt.Sprintf("removes %s of %s", strings.Join([]string{
			phrase.Count(int64(len(r.containers)), "container", "containers"), phrase.Count(int64(len(r.volumes)), "volume", "volumes")}, " and "), args.Project)
		return nil
	})
	return preview, err
}

func (r *removal) size(volume string) string {
	if bytes, known := r.sizes[volume]; known {
		return phrase.Size(bytes)
	}
	return "of a size that the engine cannot measure"
}
