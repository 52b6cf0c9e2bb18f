package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const projectDoc = `Every service of a compose project. It is ok when there are services, and each has a container at least and all of its containers run, healthy where they
have a health check. A one-shot, which is a service named in one_shots or one that another waits for by service_completed_successfully, is ok when it exited 0.
Services come from the compose file where project_dir is known; otherwise only from the containers that there are, and a service without any can only be missed where
services names it.`

// which is the compose project that an operation is about.
type which struct {
	Project    string `runbook:"project,optional" doc:"Name of the compose project; without one, the provider's."`
	ProjectDir string `runbook:"project_dir,optional" doc:"Folder of its compose file; without one, the provider's."`
}

// of completes which project by the configuration.
func (p *provider) of(w which) (which, *schema.Failure) {
	if w.Project == "" {
		w.Project = p.config.Project
	}
	if w.ProjectDir == "" {
		w.ProjectDir = p.config.ProjectDir
	} else {
		w.ProjectDir = p.path(w.ProjectDir)
	}
	if w.Project == "" {
		return w, sdk.InvalidArgument("project", "no compose project is named, neither here nor in the provider block")
	}
	return w, checkProject(w.Project)
}

type projectArgs struct {
	which
	Services []string `runbook:"services,optional" doc:"Services to look at; without them, all. Each must have a container."`
	OneShots []string `runbook:"one_shots,optional" doc:"Services that are to end by themselves with exit code 0, besides the provider's."`
}

// serviceState is what the containers of a service come to.
type serviceState struct {
	OK         bool             `runbook:"ok" doc:"Whether all of its containers are as they should be, and there is one."`
	Summary    string           `runbook:"summary" doc:"What it does, or why it is not ok."`
	State      string           `runbook:"state" doc:"State of its first container that is not as it should be, or of its first; missing where there is none."`
	Health     string           `runbook:"health" doc:"Health of the same container."`
	OneShot    bool             `runbook:"one_shot" doc:"Whether it is to end by itself."`
	Image      string           `runbook:"image" doc:"Image of the same container, as it was named when the container was made."`
	ImageID    string           `runbook:"image_id" doc:"ID of that image."`
	Containers []containerState `runbook:"containers" doc:"Its containers."`
}

type projectResult struct {
	sdk.Result
	Project  string                  `runbook:"project" doc:"Name of the project."`
	Services map[string]serviceState `runbook:"services" doc:"Its services, by name."`
	Failing  []string                `runbook:"failing" doc:"Services that are not ok."`
	Missing  []string                `runbook:"missing" doc:"Those of them without a container."`
}

func (p *provider) project(ctx context.Context, args projectArgs, call *sdk.Call) (projectResult, error) {
	w, f := p.of(args.which)
	if f != nil {
		return projectResult{}, f
	}
	var result projectResult
	err := p.use(ctx, func(e *engine) error {
		wanted := args.Services
		once := slices.Concat(p.config.OneShots, args.OneShots)
		if w.ProjectDir != "" {
			m, err := p.model(ctx, call, w)
			if err != nil {
				return err
			}
			if len(wanted) == 0 {
				wanted = m.running()
			}
			once = append(once, m.oneShots()...)
		}
		found, err := e.containers(ctx, w.Project, args.Services...)
		if err != nil {
			return err
		}
		result = projectResult{Project: w.Project, Services: states(found, wanted, once)}
		result.judge()
		return nil
	})
	if err != nil {
		return projectResult{}, err
	}
	return result, nil
}

// states are the services of containers, and those that are wanted, by name.
func states(found []containerState, wanted, once []string) map[string]serviceState {
	once = append(slices.Clone(once), completing(found)...)
	services := map[string][]containerState{}
	for _, name := range wanted {
		services[name] = nil
	}
	for _, c := range found {
		services[c.Service] = append(services[c.Service], c)
	}
	states := make(map[string]serviceState, len(services))
	for name, containers := range services {
		states[name] = stateOf(name, containers, slices.Contains(once, name))
	}
	return states
}

// completing are the services that others wait for to complete, as compose
// writes it on the containers of those that wait: "init:service_completed_successfully:false,db:service_healthy:true".
func completing(found []containerState) []string {
	var names []string
	for _, c := range found {
		for need := range strings.SplitSeq(c.labels[needsLabel], ",") {
			if parts := strings.Split(need, ":"); len(parts) > 1 && parts[1] == completed {
				names = append(names, parts[0])
			}
		}
	}
	return names
}

const completed = "service_completed_successfully"

func stateOf(name string, containers []containerState, once bool) serviceState {
	s := serviceState{State: "missing", Health: "none", OneShot: once, Containers: containers, Summary: name + " has no container"}
	for i, c := range containers {
		ok, why := c.fine(once)
		if i > 0 && ok {
			continue
		}
		s.OK, s.Summary = ok, fmt.Sprintf("%s %s", name, why)
		s.State, s.Health, s.Image, s.ImageID = c.State, c.Health, c.Image, c.ImageID
		if !ok {
			break
		}
	}
	return s
}

// judge says what the services come to.
func (r *projectResult) judge() {
	var first string
	containers := 0
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		s := r.Services[name]
		containers += len(s.Containers)
		if s.OK {
			continue
		}
		if first == "" {
			first = s.Summary
		}
		r.Failing = append(r.Failing, name)
		if len(s.Containers) == 0 {
			r.Missing = append(r.Missing, name)
		}
	}
	switch bad := len(r.Failing); {
	case len(r.Services) == 0:
		r.Result = sdk.NotOK("the project %s has no service", r.Project)
	case bad == 0:
		r.Result = sdk.OK("all %s of %s are as they should be, in %s",
			phrase.Count(int64(len(r.Services)), "service", "services"), r.Project, phrase.Count(int64(containers), "container", "containers"))
	case bad == 1:
		r.Result = sdk.NotOK("%s", first)
	default:
		r.Result = sdk.NotOK("%d of %d services of %s are not as they should be: %s; the first: %s", bad, len(r.Services), r.Project, strings.Join(r.Failing, ", "), first)
	}
}
