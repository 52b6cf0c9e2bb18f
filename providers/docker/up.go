package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const composeUpDoc = `Brings services of a compose project, and what they depend on, to what the compose file says: docker compose up --detach. What has not changed is left alone, but that
one-shots run again. Afterwards it waits by looks of its own until every container is healthy, has run for stable_for where it has no health check, or, a one-shot, has
exited 0: compose's exit code does not tell, and its --wait fails on one-shots. The preview counts the containers that would be created, recreated, started or removed.
It keeps data: volumes are carried over. remove_orphans removes containers of services that the file no longer has, and is destructive. previous in the result is what ran
before, for the way back: tag the old image ID again (docker.tag), put the old compose file back, and call this once more. Doing it again is harmless.`

type composeUpArgs struct {
	which
	patience
	Services      []string `runbook:"services,optional" doc:"Services to bring up; without them, all of the file."`
	NoDeps        bool     `runbook:"no_deps" default:"false" doc:"Leave alone what they depend on."`
	Build         bool     `runbook:"build" default:"false" doc:"Build their images first; whether that changes an image is not known before."`
	Pull          string   `runbook:"pull" default:"missing" doc:"Which images to pull first: missing, always or never."`
	ForceRecreate bool     `runbook:"force_recreate" default:"false" doc:"Make containers anew even where nothing has changed."`
	RemoveOrphans bool     `runbook:"remove_orphans" default:"false" doc:"Remove containers of the project whose service the file does not have. Destructive."`
	OneShots      []string `runbook:"one_shots,optional" doc:"Services that are to end by themselves with exit code 0, besides the provider's."`
}

// imageBefore is what a service ran.
type imageBefore struct {
	Image   string `runbook:"image" doc:"Image, as it was named when the container was made."`
	ImageID string `runbook:"image_id" doc:"ID of that image."`
}

type composeUpResult struct {
	sdk.Result
	Project    string                  `runbook:"project" doc:"Name of the project."`
	Containers int64                   `runbook:"containers" doc:"How many containers were created, recreated, started or removed."`
	Changed    []string                `runbook:"changed" doc:"Services of those containers."`
	Previous   map[string]imageBefore  `runbook:"previous" doc:"What the services ran before, by service; those without a container are missing."`
	Services   map[string]serviceState `runbook:"services" doc:"The services that were brought up, and what they depend on, as they are now."`
}

func (p *provider) checkUp(args *composeUpArgs) (f *schema.Failure) {
	if args.which, f = p.filed(args.which); f != nil {
		return f
	}
	if !slices.Contains([]string{"missing", "always", "never"}, args.Pull) {
		return sdk.InvalidArgument("pull", "pull is missing, always or never, not %q", args.Pull)
	}
	if slices.Contains(args.Services, "") {
		return sdk.InvalidArgument("services", "a service has no name")
	}
	return args.patience.validate()
}

// flags are compose's arguments.
func (args composeUpArgs) flags() []string {
	flags := []string{"up", "--detach", "--pull", args.Pull}
	for _, flag := range []struct {
		set  bool
		name string
	}{{args.Build, "--build"}, {args.NoDeps, "--no-deps"}, {args.ForceRecreate, "--force-recreate"}, {args.RemoveOrphans, "--remove-orphans"}} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return append(flags, args.Services...)
}

func (p *provider) composeUp(ctx context.Context, args composeUpArgs, call *sdk.Call) (composeUpResult, error) {
	if f := p.checkUp(&args); f != nil {
		return composeUpResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return composeUpResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	m, err := p.model(ctx, call, args.which)
	if err != nil {
		return composeUpResult{}, sdk.Clean(err)
	}
	services, err := m.closure(args.Services, args.NoDeps)
	if err != nil {
		return composeUpResult{}, sdk.Clean(err)
	}
	before, err := e.containers(ctx, args.Project)
	if err != nil {
		return composeUpResult{}, sdk.Clean(e.failure(ctx, err))
	}
	result := composeUpResult{Project: args.Project, Previous: previous(before, services)}
	if _, err := p.composed(ctx, call, args.which, true, args.flags()...); err != nil {
		return composeUpResult{}, err
	}
	once := slices.Concat(p.config.OneShots, args.OneShots, m.oneShots())
	wanted := slices.DeleteFunc(slices.Clone(services), func(name string) bool { return m.Services[name].replicas() == 0 })
	found, err := e.settle(ctx, call, args.patience, once, func(ctx context.Context) ([]containerState, error) {
		found, err := e.containers(ctx, args.Project, services...)
		if err == nil {
			err = missing(states(found, wanted, once))
		}
		return found, err
	})
	if err != nil {
		return composeUpResult{}, err
	}
	after, err := e.containers(ctx, args.Project)
	if err != nil {
		return composeUpResult{}, e.failure(ctx, err)
	}
	result.Services = states(found, wanted, once)
	result.Changed, result.Containers = changed(before, after)
	result.Result = sdk.OK("%s is up as its compose file says: %s, and %s changed", args.Project, phrase.Count(int64(len(wanted)), "service", "services"),
		phrase.Count(result.Containers, "container was", "containers were"))
	return result, nil
}

// missing is the failure of a service that has no container after compose up.
func missing(states map[string]serviceState) error {
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if len(states[name].Containers) == 0 {
			f := sdk.Fail("container_missing", "after docker compose up the service %s has no container", name)
			f.Remedy = "see the step's log for what compose said, and who removed it"
			return f
		}
	}
	return nil
}

// previous is what services run, by their first container.
func previous(found []containerState, services []string) map[string]imageBefore {
	images := map[string]imageBefore{}
	for _, c := range found {
		if _, known := images[c.Service]; !known && slices.Contains(services, c.Service) {
			images[c.Service] = imageBefore{c.Image, c.ImageID}
		}
	}
	return images
}

// changed compares containers: the services of those that are new, have been
// started or are gone, and how many. One that took another's place counts once.
func changed(before, after []containerState) (services []string, n int64) {
	was := map[string]containerState{}
	for _, c := range before {
		was[c.Name] = c
	}
	in := map[string]bool{}
	count := func(c containerState) {
		in[c.Service] = true
		n++
	}
	for _, c := range after {
		old, known := was[c.Name]
		delete(was, c.Name)
		if !known || old.ID != c.ID || started(old, c) {
			count(c)
		}
	}
	for _, c := range was {
		count(c)
	}
	return slices.Sorted(maps.Keys(in)), n
}

func started(before, after containerState) bool {
	return after.StartedAt != nil && (before.StartedAt == nil || after.StartedAt.After(*before.StartedAt))
}

func (p *provider) describeComposeUp(args composeUpArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: args.RemoveOrphans || call.Unknown("remove_orphans"), Summary: "brings up services of a compose project"}
	d.Effects = []schema.Effect{p.config.effect(schema.Write, "projects")}
	if call.Unknown("project") || call.Unknown("project_dir") {
		return d
	}
	if call.Unknown("pull") {
		args.Pull = "missing"
	}
	if call.Unknown("healthy_within") || call.Unknown("stable_for") {
		args.patience = patience{HealthyWithin: 1}
	}
	if d.Failure = p.checkUp(&args); d.Failure != nil {
		return d
	}
	d.Effects[0] = p.config.effect(schema.Write, "projects", args.Project)
	if d.Destructive {
		d.Effects[0].Mode = schema.Delete
	}
	d.Summary = "brings up " + args.Project
	if call.Unknown("services") {
		return d
	}
	if len(args.Services) > 0 {
		d.Summary = fmt.Sprintf("brings up %s of %s", listed(args.Services), args.Project)
	}
	if args.NoDeps && len(args.Services) > 0 && !args.RemoveOrphans {
		d.Effects = nil
		for _, name := range args.Services {
			d.Effects = append(d.Effects, p.config.effect(schema.Write, "projects", args.Project, name))
		}
	}
	d.Command = p.command(args.which, args.flags()...)
	return d
}

func (p *provider) previewComposeUp(ctx context.Context, args composeUpArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.checkUp(&args); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		d, err := p.drifted(ctx, call, e, args.which)
		if err != nil {
			return err
		}
		services, err := d.closure(args.Services, args.NoDeps)
		if err != nil {
			return err
		}
		changes := d.changes(services, args)
		for _, c := range changes {
			preview.Sample = append(preview.Sample, c.String())
		}
		what := args.Project
		if len(args.Services) > 0 {
			what = fmt.Sprintf("%s of %s", listed(args.Services), args.Project)
		}
		preview.Summary = fmt.Sprintf("brings up %s: %s, of %s", what, phrase.Count(int64(len(changes)), "change", "changes"), listed(names(changes)))
		if len(changes) == 0 {
			preview.Summary = fmt.Sprintf("brings up %s, where nothing has changed", what)
		}
		switch built := d.built(services); {
		case args.Pull == "always":
			preview.Summary += "; images are pulled first, and what they change is not counted"
		case args.Build && len(built) > 0:
			preview.Summary += fmt.Sprintf("; images of %s are built first, and what they change is not counted", listed(built))
		default:
			preview.Impact = schema.Impact{"containers": int64(len(changes))}
		}
		return nil
	})
	return preview, err
}
