package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const containerDoc = `One container, as the engine sees it now. It is ok when it runs, is healthy where it has a health check, has not been restarted more often than
max_restarts, and has run for min_uptime. One that is still starting, paused or restarting is not ok; with one_shot, one that ended with exit code 0 is.
A container that does not exist is not ok either.`

type containerArgs struct {
	Container   string         `runbook:"container" doc:"Name or ID."`
	OneShot     bool           `runbook:"one_shot" default:"false" doc:"Whether it is to end by itself with exit code 0."`
	MaxRestarts *int64         `runbook:"max_restarts" doc:"How often the engine may have restarted it; without one, any number is ok."`
	MinUptime   *time.Duration `runbook:"min_uptime" doc:"How long it must have run by this machine's clock; without one, any time is ok."`
}

// containerState is what the engine knows of a container.
type containerState struct {
	Exists      bool       `runbook:"exists" doc:"Whether there is such a container."`
	Name        string     `runbook:"name" doc:"Its name."`
	ID          string     `runbook:"id" doc:"Its full ID."`
	State       string     `runbook:"state" doc:"created, running, paused, restarting, removing, exited or dead; missing where there is none."`
	Health      string     `runbook:"health" doc:"starting, healthy or unhealthy; none where it has no health check."`
	LastCheck   string     `runbook:"last_check" doc:"What the last health check printed; empty where there was none."`
	ExitCode    *int64     `runbook:"exit_code" doc:"Exit code; null while it runs, or where it never has."`
	OOMKilled   bool       `runbook:"oom_killed" doc:"Whether it was ended for want of memory."`
	Error       string     `runbook:"error" doc:"Why the engine could not start it; empty where it could."`
	Restarts    int64      `runbook:"restarts" doc:"How often the engine has restarted it by its restart policy; a restart by hand sets it back to 0."`
	StartedAt   *time.Time `runbook:"started_at" doc:"When it was started last; null: never."`
	FinishedAt  *time.Time `runbook:"finished_at" doc:"When it ended last; null: never."`
	Image       string     `runbook:"image" doc:"The image it was made from, as it was named then."`
	ImageID     string     `runbook:"image_id" doc:"ID of that image; what the name stands for may have changed since."`
	Project     string     `runbook:"project" doc:"Its compose project; empty where it has none."`
	Service     string     `runbook:"service" doc:"Its service in the project."`
	restarting  bool       // its policy has the engine start it again
	labels      map[string]string
	healthcheck bool
	tty         bool     // its output is one stream
	volumes     []string // names of those that it uses
}

type containerResult struct {
	sdk.Result
	containerState
}

func (p *provider) container(ctx context.Context, args containerArgs, _ *sdk.Call) (containerResult, error) {
	if args.Container == "" {
		return containerResult{}, sdk.InvalidArgument("container", "container is empty")
	}
	result := containerResult{containerState: containerState{Name: args.Container, State: "missing", Health: "none"}}
	err := p.use(ctx, func(e *engine) error {
		found, err := e.look(ctx, args.Container)
		if cerrdefs.IsNotFound(err) {
			result.Result = sdk.NotOK("there is no container %s", args.Container)
			return nil
		}
		if err != nil {
			return err
		}
		result.containerState = found
		result.Result = found.judge(args)
		return nil
	})
	if err != nil {
		return containerResult{}, err
	}
	return result, nil
}

func (c containerState) judge(args containerArgs) sdk.Result {
	ok, why := c.fine(args.OneShot)
	uptime := c.uptime()
	switch {
	case !ok:
		return sdk.NotOK("%s %s", c.Name, why)
	case args.MaxRestarts != nil && c.Restarts > *args.MaxRestarts:
		return sdk.NotOK("%s has been restarted %s, at most %d are ok", c.Name, phrase.Count(c.Restarts, "time", "times"), *args.MaxRestarts)
	case args.MinUptime != nil && c.State == string(container.StateRunning) && uptime < *args.MinUptime:
		return sdk.NotOK("%s has run for %s, and must for %s", c.Name, phrase.Round(uptime), *args.MinUptime)
	}
	return sdk.OK("%s %s", c.Name, why)
}

func (c containerState) uptime() time.Duration {
	if c.StartedAt == nil {
		return 0
	}
	return time.Since(*c.StartedAt)
}

// fine tells whether the container is as it should be, and says what it does, as
// in "is healthy".
func (c containerState) fine(oneShot bool) (bool, string) {
	switch state := container.ContainerState(c.State); {
	case state == container.StateRunning && oneShot:
		return false, "has not ended yet"
	case state == container.StateRunning && c.Health == string(container.Healthy):
		return true, "is healthy"
	case state == container.StateRunning && c.Health == string(container.Unhealthy) && c.LastCheck != "":
		return false, "is unhealthy: " + c.LastCheck
	case state == container.StateRunning && c.Health != "none":
		return false, "is " + c.Health
	case state == container.StateRunning:
		return true, "runs, and has no health check"
	case state == container.StateExited || state == container.StateDead:
		return c.ended(oneShot)
	case c.Error != "":
		return false, fmt.Sprintf("could not be started: %s", c.Error)
	}
	return false, "is " + c.State
}

func (c containerState) ended(oneShot bool) (bool, string) {
	code := int64(0)
	if c.ExitCode != nil {
		code = *c.ExitCode
	}
	switch {
	case c.OOMKilled:
		return false, "was ended for want of memory"
	case c.Error != "":
		return false, fmt.Sprintf("could not be started: %s", c.Error)
	case oneShot && code == 0 && c.State == string(container.StateExited):
		return true, "did its work and exited 0"
	}
	return false, fmt.Sprintf("has ended with exit code %d", code)
}

// look is a container as it is now. Where there is none the error is NotFound.
func (e *engine) look(ctx context.Context, id string) (containerState, error) {
	found, err := e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return containerState{}, err
	}
	c := found.Container
	if c.State == nil || c.Config == nil {
		return containerState{}, sdk.Fail("docker_error", "the Docker engine at %s says nothing of the state of %s", e.address(), id)
	}
	state := containerState{
		Exists: true, Name: strings.TrimPrefix(c.Name, "/"), ID: c.ID, State: string(c.State.Status), Health: "none",
		OOMKilled: c.State.OOMKilled, Error: c.State.Error, Restarts: int64(c.RestartCount),
		StartedAt: moment(c.State.StartedAt), FinishedAt: moment(c.State.FinishedAt),
		Image: c.Config.Image, ImageID: c.Image, labels: c.Config.Labels,
		Project: c.Config.Labels[projectLabel], Service: c.Config.Labels[serviceLabel], tty: c.Config.Tty,
	}
	for _, mount := range c.Mounts {
		if mount.Name != "" {
			state.volumes = append(state.volumes, mount.Name)
		}
	}
	if h := c.State.Health; h != nil && h.Status != "" && h.Status != container.NoHealthcheck {
		state.Health, state.healthcheck = string(h.Status), true
		if len(h.Log) > 0 {
			state.LastCheck = brief(h.Log[len(h.Log)-1].Output)
		}
	}
	if !c.State.Running && state.StartedAt != nil {
		code := int64(c.State.ExitCode)
		state.ExitCode = &code
	}
	if c.HostConfig != nil {
		policy := c.HostConfig.RestartPolicy
		state.restarting = policy.IsAlways() || policy.IsUnlessStopped() || policy.IsOnFailure() && c.State.ExitCode != 0
	}
	return state, nil
}

// moment is a time of the engine's; it writes the year 1 for never.
func moment(text string) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return nil
	}
	return &t
}

// brief is a text in one line that a person reads.
func brief(text string) string {
	const most = 200
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > most {
		return string(line[:most]) + " …"
	}
	return string(line)
}

// Labels that compose puts on containers.
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	numberLabel  = "com.docker.compose.container-number"
	oneOffLabel  = "com.docker.compose.oneoff"
	hashLabel    = "com.docker.compose.config-hash"
	versionLabel = "com.docker.compose.version"
	needsLabel   = "com.docker.compose.depends_on"
)

// containers are those of a project, by service and number; those of compose run
// do not count. Of services none is all.
func (e *engine) containers(ctx context.Context, project string, services ...string) ([]containerState, error) {
	listed, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", projectLabel+"="+project)})
	if err != nil {
		return nil, err
	}
	var found []containerState
	for _, item := range listed.Items {
		if strings.EqualFold(item.Labels[oneOffLabel], "true") || len(services) > 0 && !slices.Contains(services, item.Labels[serviceLabel]) {
			continue
		}
		state, err := e.look(ctx, item.ID)
		if cerrdefs.IsNotFound(err) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		found = append(found, state)
	}
	slices.SortFunc(found, func(a, b containerState) int {
		if c := strings.Compare(a.Service, b.Service); c != 0 {
			return c
		}
		return a.number() - b.number()
	})
	return found, nil
}

func (c containerState) number() int {
	n, err := strconv.Atoi(c.labels[numberLabel])
	if err != nil {
		return 1
	}
	return n
}

func containerMissing(name string) *schema.Failure {
	f := sdk.Fail("container_missing", "there is no container %s", name)
	f.Remedy = "correct the name, or make it first: docker.compose_up does for a compose project"
	return f
}
