package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// drifted is how the containers of a project differ from its compose file.
type drifted struct {
	*model
	hashes map[string]string
	images map[string]string // ID that a service's image stands for now; empty: there is none here
	found  []containerState
}

// drifted looks at a project's file, containers and images.
func (p *provider) drifted(ctx context.Context, call *sdk.Call, e *engine, w which) (*drifted, error) {
	m, err := p.model(ctx, call, w)
	if err != nil {
		return nil, err
	}
	d := &drifted{model: m, images: map[string]string{}}
	if d.hashes, err = p.hashes(ctx, call, w); err != nil {
		return nil, err
	}
	if d.found, err = e.containers(ctx, w.Project); err != nil {
		return nil, err
	}
	for name := range m.Services {
		if d.images[name], err = e.imageID(ctx, m.image(name)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// imageID is what a reference stands for here; empty where there is nothing.
func (e *engine) imageID(ctx context.Context, reference string) (string, error) {
	found, err := e.ImageInspect(ctx, reference)
	if cerrdefs.IsNotFound(err) {
		return "", nil
	}
	return found.ID, err
}

// why says how a container differs from its service; empty: it does not.
func (d *drifted) why(c containerState) string {
	switch {
	case c.labels[hashLabel] != d.hashes[c.Service]:
		return "config"
	case d.images[c.Service] != "" && d.images[c.Service] != c.ImageID:
		return "image"
	}
	return ""
}

// change is what compose up would do to one container.
type change struct {
	service   string
	container string // empty: it does not exist yet
	what      string // create, recreate, start or remove
	why       string
}

func (c change) String() string {
	name := c.container
	if name == "" {
		name = "a container of " + c.service
	}
	if c.why == "" {
		return fmt.Sprintf("%s %s", c.what, name)
	}
	return fmt.Sprintf("%s %s: %s", c.what, name, c.why)
}

// changes are what compose up would do to these services.
func (d *drifted) changes(services []string, args composeUpArgs) []change {
	var all []change
	for _, name := range services {
		all = append(all, d.changesOf(name, args.ForceRecreate && (len(args.Services) == 0 || slices.Contains(args.Services, name)))...)
	}
	if !args.RemoveOrphans {
		return all
	}
	for _, c := range d.orphans() {
		all = append(all, change{c.Service, c.Name, "remove", "its service is not in the compose file"})
	}
	return all
}

func (d *drifted) changesOf(service string, force bool) []change {
	var changes []change
	wanted := d.Services[service].replicas()
	for _, c := range d.found {
		if c.Service != service {
			continue
		}
		why := d.why(c)
		switch {
		case wanted == 0:
			changes = append(changes, change{service, c.Name, "remove", "fewer are wanted"})
			continue
		case why == "config":
			changes = append(changes, change{service, c.Name, "recreate", "its configuration has changed"})
		case why == "image":
			changes = append(changes, change{service, c.Name, "recreate", "its image has changed"})
		case force:
			changes = append(changes, change{service, c.Name, "recreate", ""})
		case c.State != string(container.StateRunning):
			changes = append(changes, change{service, c.Name, "start", "it is " + c.State})
		}
		wanted--
	}
	for range wanted {
		changes = append(changes, change{service: service, what: "create"})
	}
	return changes
}

// orphans are containers of services that the file does not have.
func (d *drifted) orphans() []containerState {
	var orphans []containerState
	for _, c := range d.found {
		if _, known := d.Services[c.Service]; !known {
			orphans = append(orphans, c)
		}
	}
	return orphans
}

// built are those of these services whose image compose would build.
func (d *drifted) built(services []string) []string {
	return slices.DeleteFunc(slices.Clone(services), func(name string) bool { return !d.Services[name].builds() })
}

// names are the services of changes, each once.
func names(changes []change) []string {
	in := map[string]bool{}
	for _, c := range changes {
		in[c.service] = true
	}
	return slices.Sorted(maps.Keys(in))
}

// listed is a list of names as people read it, cut where it is long.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
