package docker

import (
	"context"
	"fmt"
	"slices"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const configDriftDoc = `Whether the containers of a compose project are those that its compose file asks for now: by the hash of each service's configuration that compose puts on a container,
and by what the image's name stands for now. A restart brings neither in: docker.compose_up does. It is ok where every service has all of its containers, none differs, and
there is at least one. Variables count as they are filled in, so env must be what the containers were made with. Files that a container mounts are not looked into, nor is
whether it runs: docker.project tells.`

type configDriftArgs struct {
	which
	Services []string `runbook:"services,optional" doc:"Services to look at; without them, all, and containers of services that the file does not have."`
}

type difference struct {
	Service   string `runbook:"service" doc:"The service."`
	Container string `runbook:"container" doc:"Name of the container; empty where it does not exist."`
	Kind      string `runbook:"kind" doc:"config, image, missing (too few containers), extra (too many), or orphan (the file does not have the service)."`
	MadeBy    string `runbook:"made_by" doc:"Version of compose that made the container: another version may hash the same configuration differently."`
	Summary   string `runbook:"summary" doc:"What differs."`
}

type configDriftResult struct {
	sdk.Result
	Services    int64        `runbook:"services" doc:"How many services were looked at."`
	Differences []difference `runbook:"differences" doc:"What is not as the file says."`
}

func (p *provider) configDrift(ctx context.Context, args configDriftArgs, call *sdk.Call) (configDriftResult, error) {
	w, f := p.filed(args.which)
	if f != nil {
		return configDriftResult{}, f
	}
	var result configDriftResult
	err := p.use(ctx, func(e *engine) error {
		d, err := p.drifted(ctx, call, e, w)
		if err != nil {
			return err
		}
		services, err := d.closure(args.Services, true)
		if err != nil {
			return err
		}
		for _, name := range services {
			result.Differences = append(result.Differences, d.differences(name)...)
		}
		if len(args.Services) == 0 {
			for _, c := range d.orphans() {
				result.Differences = append(result.Differences, difference{c.Service, c.Name, "orphan", c.labels[versionLabel], "the compose file has no service " + c.Service})
			}
		}
		result.Services = int64(len(services))
		result.Result = result.judge(w.Project)
		return nil
	})
	if err != nil {
		return configDriftResult{}, err
	}
	return result, nil
}

// differences are those of one service's containers.
func (d *drifted) differences(service string) []difference {
	var all []difference
	wanted := d.Services[service].replicas()
	for _, c := range d.found {
		if c.Service != service {
			continue
		}
		at := difference{Service: service, Container: c.Name, MadeBy: c.labels[versionLabel], Kind: d.why(c)}
		switch {
		case wanted == 0:
			at.Kind, at.Summary = "extra", c.Name+" is one too many"
		case at.Kind == "config":
			at.Summary = fmt.Sprintf("the configuration of %s has changed since %s was made", service, c.Name)
		case at.Kind == "image":
			at.Summary = fmt.Sprintf("%s runs %s, and %s is %s now", c.Name, short(c.ImageID), d.image(service), short(d.images[service]))
		}
		if at.Kind != "" {
			all = append(all, at)
		}
		wanted = max(0, wanted-1)
	}
	for range wanted {
		all = append(all, difference{Service: service, Kind: "missing", Summary: service + " lacks a container"})
	}
	return all
}

func (r configDriftResult) judge(project string) sdk.Result {
	switch n := len(r.Differences); {
	case r.Services == 0:
		return sdk.NotOK("the compose file of %s has no service", project)
	case n == 0:
		return sdk.OK("%s of %s are as the compose file says", phrase.Count(r.Services, "service", "services"), project)
	case n == 1:
		return sdk.NotOK("%s", r.Differences[0].Summary)
	}
	var services []string
	for _, d := range r.Differences {
		if !slices.Contains(services, d.Service) {
			services = append(services, d.Service)
		}
	}
	return sdk.NotOK("%d containers of %s are not as the compose file says, of %s; the first: %s", len(r.Differences), project, listed(services), r.Differences[0].Summary)
}
