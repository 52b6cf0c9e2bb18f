package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const restartDoc = `Restarts a container, or all of a service of a compose project, one after the other, and waits until each is healthy again; one without a health check must run for
stable_for. It also looks whether started_at has moved: an engine's word alone is no proof. A restart keeps the container as it was made: it picks up neither a changed compose
file nor a new image; see docker.config_drift and docker.compose_up. Doing it again is harmless.`

type restartArgs struct {
	which
	patience
	Container   string         `runbook:"container,optional" doc:"Name or ID of the container."`
	Service     string         `runbook:"service,optional" doc:"Service of the compose project, instead of a container."`
	StopTimeout *time.Duration `runbook:"stop_timeout" doc:"How long a container may take to end before it is killed; without one, what it was made with, 10s as a rule."`
}

type restarted struct {
	Container     string     `runbook:"container" doc:"Name of the container."`
	StartedBefore *time.Time `runbook:"started_before" doc:"When it had been started before; null: never."`
	StartedAt     *time.Time `runbook:"started_at" doc:"When it was started now."`
	State         string     `runbook:"state" doc:"State afterwards."`
	Health        string     `runbook:"health" doc:"Health afterwards; none where it has no health check."`
}

type restartResult struct {
	sdk.Result
	Containers int64       `runbook:"containers" doc:"How many were restarted."`
	Restarted  []restarted `runbook:"restarted" doc:"Those containers."`
}

func (p *provider) checkRestart(args *restartArgs) *schema.Failure {
	m := args.meant()
	if f := p.complete(&m); f != nil {
		return f
	}
	args.which = m.which
	if f := checkStopTimeout(args.StopTimeout); f != nil {
		return f
	}
	return args.patience.validate()
}

func (args restartArgs) meant() meant {
	return meant{which: args.which, Container: args.Container, Service: args.Service}
}

func checkStopTimeout(timeout *time.Duration) *schema.Failure {
	if timeout != nil && *timeout < 0 {
		return sdk.InvalidArgument("stop_timeout", "stop_timeout must not be negative, got %s", *timeout)
	}
	return nil
}

// seconds is a stop timeout as the engine takes it.
func seconds(timeout time.Duration) int { return int((timeout + time.Second - 1) / time.Second) }

func (p *provider) restart(ctx context.Context, args restartArgs, call *sdk.Call) (restartResult, error) {
	if f := p.checkRestart(&args); f != nil {
		return restartResult{}, sdk.Clean(f)
	}
	var grace time.Duration
	if args.StopTimeout != nil {
		grace = *args.StopTimeout
	}
	e, err := p.open(ctx, grace)
	if err != nil {
		return restartResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	found, err := e.meant(ctx, args.meant())
	if err != nil {
		return restartResult{}, sdk.Clean(e.failure(ctx, err))
	}
	if f := limited(call, schema.Impact{"containers": int64(len(found))}, "restarted", "name a single container, or raise limit"); f != nil {
		return restartResult{}, sdk.Clean(f)
	}
	var result restartResult
	for i, c := range found {
		call.Progress(float64(i), float64(len(found)), "restarting %s", c.Name)
		done, err := e.restart(ctx, call, args, c)
		if err != nil && i == 0 {
			return restartResult{}, err
		}
		if err != nil {
			return restartResult{}, fmt.Errorf("after restarting %s: %w", phrase.Count(int64(i), "container", "containers"), err)
		}
		result.Restarted = append(result.Restarted, done)
		result.Containers++
	}
	result.Result = sdk.OK("restarted %s, and %s", phrase.Count(result.Containers, "container", "containers"), healthy(result.Restarted))
	return result, nil
}

func healthy(all []restarted) string {
	if slices.ContainsFunc(all, func(r restarted) bool { return r.Health == "none" }) {
		return "each runs"
	}
	return "each is healthy"
}

// restart restarts one container and waits until it is as it should be.
func (e *engine) restart(ctx context.Context, call *sdk.Call, args restartArgs, before containerState) (restarted, error) {
	var options client.ContainerRestartOptions
	if args.StopTimeout != nil {
		timeout := seconds(*args.StopTimeout)
		options.Timeout = &timeout
	}
	if _, err := e.ContainerRestart(ctx, before.ID, options); err != nil {
		if cerrdefs.IsNotFound(err) {
			return restarted{}, sdk.Clean(containerMissing(before.Name))
		}
		return restarted{}, e.sent(ctx, err)
	}
	now, err := e.look(ctx, before.ID)
	if err != nil {
		return restarted{}, e.failure(ctx, err)
	}
	if now.StartedAt == nil || before.StartedAt != nil && !now.StartedAt.After(*before.StartedAt) {
		f := sdk.Fail("not_restarted", "the engine says that it restarted %s, and its started_at is what it was", before.Name)
		f.Remedy = "see the engine's log; docker inspect shows the container as it is"
		return restarted{}, f
	}
	_, err = e.settle(ctx, call, args.patience, nil, func(ctx context.Context) ([]containerState, error) {
		now, err = e.look(ctx, before.ID)
		return []containerState{now}, err
	})
	if err != nil {
		return restarted{}, err
	}
	return restarted{now.Name, before.StartedAt, now.StartedAt, now.State, now.Health}, nil
}

func (p *provider) describeRestart(args restartArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Summary: "restarts a container", Effects: []schema.Effect{p.config.effect(schema.Write)}}
	if call.Unknown("container") || call.Unknown("service") || call.Unknown("project") {
		return d
	}
	if d.Failure = p.checkRestart(&args); d.Failure != nil {
		return d
	}
	var timeout []string
	if args.StopTimeout != nil {
		timeout = []string{"--time", strconv.Itoa(seconds(*args.StopTimeout))}
	}
	if args.Container != "" {
		d.Effects[0] = p.config.effect(schema.Write, "containers", args.Container)
		d.Summary, d.Command = "restarts "+args.Container, append(append([]string{"docker", "restart"}, timeout...), args.Container)
		return d
	}
	d.Effects[0] = p.config.effect(schema.Write, "projects", args.Project, args.Service)
	d.Summary = fmt.Sprintf("restarts the service %s of %s", args.Service, args.Project)
	d.Command = slices.Concat(p.config.Compose, []string{"--project-name", args.Project, "restart"}, timeout, []string{args.Service})
	return d
}

func (p *provider) previewRestart(ctx context.Context, args restartArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := p.checkRestart(&args); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		found, err := e.meant(ctx, args.meant())
		if err != nil {
			return err
		}
		preview = sdk.PreviewResult{Impact: schema.Impact{"containers": int64(len(found))}, Effects: p.config.touches(schema.Write, found)}
		for _, c := range found {
			_, why := c.fine(false)
			preview.Sample = append(preview.Sample, fmt.Sprintf("%s  %s, %s", c.Name, why, c.since()))
		}
		return nil
	})
	return preview, err
}

// since says for how long a container has run.
func (c containerState) since() string {
	if c.StartedAt == nil {
		return "never started"
	}
	return fmt.Sprintf("started %s ago", phrase.Span(time.Since(*c.StartedAt).Seconds()))
}

// touches are the effects on containers, by their names and as parts of their
// projects.
func (c Config) touches(mode schema.Mode, found []containerState) []schema.Effect {
	var effects []schema.Effect
	for _, state := range found {
		effects = append(effects, c.effect(mode, "containers", state.Name))
		if state.Project == "" {
			continue
		}
		if service := c.effect(mode, "projects", state.Project, state.Service); !slices.Contains(effects, service) {
			effects = append(effects, service)
		}
	}
	return effects
}
