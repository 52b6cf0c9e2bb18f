package docker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// patience is how long containers may take until they are as they should be.
type patience struct {
	HealthyWithin time.Duration `runbook:"healthy_within" default:"5m" doc:"How long it may take until all is healthy. What turns unhealthy, ends, or is restarted three times over fails at once."`
	StableFor     time.Duration `runbook:"stable_for" default:"3s" doc:"How long a container without a health check must have run."`
}

func (p patience) validate() *schema.Failure {
	switch {
	case p.HealthyWithin <= 0:
		return sdk.InvalidArgument("healthy_within", "healthy_within must be positive, got %s", p.HealthyWithin)
	case p.StableFor < 0:
		return sdk.InvalidArgument("stable_for", "stable_for must not be negative, got %s", p.StableFor)
	}
	return nil
}

// How often containers are looked at while they settle.
const (
	firstLook = 50 * time.Millisecond
	nextLook  = time.Second
)

// crashes is how often a container may be started again by its policy before it
// is taken for one that never settles.
const crashes = 3

// settle waits until the containers of look are as they should be, and returns
// them as they are then. Those of the services in once are to end.
func (e *engine) settle(ctx context.Context, call *sdk.Call, p patience, once []string, look func(context.Context) ([]containerState, error)) ([]containerState, error) {
	began := time.Now()
	ran := map[string]time.Time{} // when each was first seen, by ID and start
	restarts := map[string]int64{}
	pause := firstLook
	for said := ""; ; {
		found, err := look(ctx)
		if err != nil {
			return found, e.failure(ctx, err)
		}
		waits := ""
		for _, c := range found {
			isOnce := slices.Contains(once, c.Service)
			if _, seen := restarts[c.ID]; !seen {
				restarts[c.ID] = c.Restarts
			}
			if f := c.hopeless(isOnce, c.Restarts-restarts[c.ID]); f != nil {
				return found, f
			}
			if why := c.unsettled(isOnce, p.StableFor, ran); why != "" && waits == "" {
				waits = fmt.Sprintf("%s %s", c.Name, why)
			}
		}
		if waits == "" {
			return found, nil
		}
		if time.Since(began) > p.HealthyWithin {
			f := sdk.Fail("not_healthy_in_time", "after %s %s", phrase.Round(time.Since(began)), waits)
			f.Remedy = "see docker.logs of the container, or allow it more time by healthy_within"
			return found, f
		}
		if waits != said {
			said = waits
			call.Logf("waiting: %s", said)
		}
		select {
		case <-ctx.Done():
			return found, e.failure(ctx, ctx.Err())
		case <-time.After(pause):
			pause = min(pause*3/2, nextLook)
		}
	}
}

// unsettled says what a container still has to come to; empty: nothing.
func (c containerState) unsettled(once bool, stable time.Duration, ran map[string]time.Time) string {
	ok, why := c.fine(once)
	if !ok || once || c.healthcheck {
		if ok {
			return ""
		}
		return why
	}
	key := c.ID
	if c.StartedAt != nil {
		key += c.StartedAt.String()
	}
	if _, seen := ran[key]; !seen {
		ran[key] = time.Now()
	}
	if time.Since(ran[key]) < stable {
		return fmt.Sprintf("runs, and is to for %s", stable)
	}
	return ""
}

// hopeless is the failure of a container that will not come right by itself.
func (c containerState) hopeless(once bool, crashed int64) *schema.Failure {
	ok, why := c.fine(once)
	if ok {
		return nil
	}
	code := ""
	switch state := container.ContainerState(c.State); {
	case crashed >= crashes:
		code, why = "crash_loop", fmt.Sprintf("has been restarted %d times within this wait, and %s", crashed, why)
	case state == container.StateRunning && c.Health == string(container.Unhealthy):
		code = "unhealthy"
	case state == container.StatePaused:
		code = "paused"
	case state == container.StateDead, state == container.StateCreated && c.Error != "", state == container.StateExited && !c.restarting:
		code = "exited"
	default:
		return nil
	}
	f := sdk.Fail(code, "%s %s", c.Name, why)
	f.Remedy = "see docker.logs of the container"
	if code == "paused" {
		f.Remedy = "let it go on with docker unpause"
	}
	return f
}
