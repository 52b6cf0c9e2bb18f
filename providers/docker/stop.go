package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const composeStopDoc = `Stops the containers of services of a compose project, those that depend on others first, and looks whether they have ended. They are kept: docker.compose_up, or docker
compose start, starts them again. The preview counts those that run. Doing it again is harmless.`

type composeStopArgs struct {
	which
	Services    []string       `runbook:"services,optional" doc:"Services to stop; without them, all of the file."`
	StopTimeout *time.Duration `runbook:"stop_timeout" doc:"How long a container may take to end before it is killed; without one, what it was made with, 10s as a rule."`
}

type composeStopResult struct {
	sdk.Result
	Project    string   `runbook:"project" doc:"Name of the project."`
	Containers int64    `runbook:"containers" doc:"How many were running, and were stopped."`
	Stopped    []string `runbook:"stopped" doc:"Names of those containers."`
}

func (p *provider) checkStop(args *composeStopArgs) (f *schema.Failure) {
	if args.which, f = p.filed(args.which); f != nil {
		return f
	}
	if slices.Contains(args.Services, "") {
		return sdk.InvalidArgument("services", "a service has no name")
	}
	return checkStopTimeout(args.StopTimeout)
}

func (args composeStopArgs) flags() []string {
	flags := []string{"stop"}
	if args.StopTimeout != nil {
		flags = append(flags, "--timeout", strconv.Itoa(seconds(*args.StopTimeout)))
	}
	return append(flags, args.Services...)
}

// live are those containers that run, in one way or another.
func live(found []containerState) []containerState {
	var running []containerState
	for _, c := range found {
		switch container.ContainerState(c.State) {
		case container.StateRunning, container.StatePaused, container.StateRestarting:
			running = append(running, c)
		}
	}
	return running
}

func namesOf(found []containerState) []string {
	names := make([]string, 0, len(found))
	for _, c := range found {
		names = append(names, c.Name)
	}
	return names
}

// toStop are the containers that run of the services that are meant.
func (p *provider) toStop(ctx context.Context, call *sdk.Call, e *engine, args composeStopArgs) (services []string, running []containerState, err error) {
	m, err := p.model(ctx, call, args.which)
	if err != nil {
		return nil, nil, err
	}
	if services, err = m.closure(args.Services, true); err != nil || len(services) == 0 {
		return nil, nil, err
	}
	found, err := e.containers(ctx, args.Project, services...)
	return services, live(found), err
}

func (p *provider) composeStop(ctx context.Context, args composeStopArgs, call *sdk.Call) (composeStopResult, error) {
	if f := p.checkStop(&args); f != nil {
		return composeStopResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return composeStopResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	services, running, err := p.toStop(ctx, call, e, args)
	if err != nil {
		return composeStopResult{}, sdk.Clean(e.failure(ctx, err))
	}
	if f := limited(call, schema.Impact{"containers": int64(len(running))}, "stopped", "name fewer services, or raise limit"); f != nil {
		return composeStopResult{}, sdk.Clean(f)
	}
	if _, err := p.composed(ctx, call, args.which, true, args.flags()...); err != nil {
		return composeStopResult{}, err
	}
	left, err := e.containers(ctx, args.Project, services...)
	if err != nil {
		return composeStopResult{}, e.failure(ctx, err)
	}
	if left := live(left); len(services) > 0 && len(left) > 0 {
		f := sdk.Fail("not_stopped", "after docker compose stop %s", phraseOf(left[0]))
		f.Remedy = "see the step's log, and who starts it again"
		return composeStopResult{}, f
	}
	result := composeStopResult{Project: args.Project, Containers: int64(len(running)), Stopped: namesOf(running)}
	result.Result = sdk.OK("stopped %s of %s", phrase.Count(result.Containers, "container", "containers"), args.Project)
	return result, nil
}

// phraseOf is what a container does, as in "api-1 is healthy".
func phraseOf(c containerState) string {
	_, why := c.fine(false)
	return c.Name + " " + why
}

func (p *provider) describeComposeStop(args composeStopArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{p.config.effect(schema.Write, "projects")}, Summary: "stops services of a compose project"}
	if call.Unknown("project") || call.Unknown("project_dir") {
		return d
	}
	if d.Failure = p.checkStop(&args); d.Failure != nil {
		return d
	}
	d.Effects = p.config.onServices(schema.Write, args.Project, args.Services)
	d.Summary = "stops " + args.Project
	if call.Unknown("services") {
		return d
	}
	if len(args.Services) > 0 {
		d.Summary = fmt.Sprintf("stops %s of %s", listed(args.Services), args.Project)
	}
	d.Command = p.command(args.which, args.flags()...)
	return d
}

// onServices are effects on services of a project; of none, on all of it.
func (c Config) onServices(mode schema.Mode, project string, services []string) []schema.Effect {
	if len(services) == 0 {
		return []schema.Effect{c.effect(mode, "projects", project)}
	}
	var effects []schema.Effect
	for _, name := range services {
		effects = append(effects, c.effect(mode, "projects", project, name))
	}
	return effects
}

func (p *provider) previewComposeStop(ctx context.Context, args composeStopArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.checkStop(&args); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		_, running, err := p.toStop(ctx, call, e, args)
		preview.Impact = schema.Impact{"containers": int64(len(running))}
		for _, c := range running {
			preview.Sample = append(preview.Sample, phraseOf(c)+", "+c.since())
		}
		return err
	})
	return preview, err
}
