package docker

import (
	"context"
	"fmt"

	cerrdefs "github.com/containerd/errdefs"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// meant is a container, or a service of a compose project.
type meant struct {
	which
	Container, Service string
}

func (m meant) name() string {
	if m.Service != "" {
		return fmt.Sprintf("%s of %s", m.Service, m.Project)
	}
	return m.Container
}

// complete checks that one is named, and completes its project.
func (p *provider) complete(m *meant) (f *schema.Failure) {
	if (m.Container == "") == (m.Service == "") {
		return sdk.InvalidArgument("container", "give either container or service")
	}
	if m.Service != "" {
		m.which, f = p.of(m.which)
	}
	return f
}

// meant are the containers of what is meant; there is one at least.
func (e *engine) meant(ctx context.Context, m meant) ([]containerState, error) {
	if m.Service != "" {
		found, err := e.containers(ctx, m.Project, m.Service)
		if err == nil && len(found) == 0 {
			f := sdk.Fail("container_missing", "the service %s of %s has no container", m.Service, m.Project)
			f.Remedy = "correct project and service, or make it first with docker.compose_up"
			return nil, f
		}
		return found, err
	}
	c, err := e.look(ctx, m.Container)
	if cerrdefs.IsNotFound(err) {
		return nil, containerMissing(m.Container)
	}
	return []containerState{c}, err
}
