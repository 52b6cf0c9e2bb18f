package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// model is what a compose file comes to. It may hold secrets, and is never shown.
type model struct {
	which
	Services map[string]modelService `json:"services"`
	Volumes  map[string]modelVolume  `json:"volumes"`
}

type modelVolume struct {
	Name     string `json:"name"`
	External bool   `json:"external"`
}

type modelService struct {
	Image     string          `json:"image"`
	Build     json.RawMessage `json:"build"`
	Scale     *int            `json:"scale"`
	DependsOn map[string]need `json:"depends_on"`
	Deploy    struct {
		Replicas *int `json:"replicas"`
	} `json:"deploy"`
}

type need struct {
	Condition string `json:"condition"`
}

// model reads the compose file by docker compose, and changes nothing.
func (p *provider) model(ctx context.Context, call *sdk.Call, w which) (*model, error) {
	printed, err := p.composed(ctx, call, w, false, "config", "--format", "json")
	if err != nil {
		return nil, err
	}
	m := model{which: w}
	if err := json.Unmarshal(printed, &m); err != nil {
		return nil, fmt.Errorf("read what docker compose config printed: %w", err)
	}
	return &m, nil
}

// hashes are those that compose would put on the containers of each service.
func (p *provider) hashes(ctx context.Context, call *sdk.Call, w which) (map[string]string, error) {
	printed, err := p.composed(ctx, call, w, false, "config", "--hash", "*")
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	for line := range strings.Lines(string(printed)) {
		if words := strings.Fields(line); len(words) == 2 {
			hashes[words[0]] = words[1]
		}
	}
	return hashes, nil
}

// replicas is how many containers a service is to have.
func (s modelService) replicas() int {
	switch {
	case s.Scale != nil:
		return *s.Scale
	case s.Deploy.Replicas != nil:
		return *s.Deploy.Replicas
	}
	return 1
}

func (s modelService) builds() bool { return len(s.Build) > 0 && string(s.Build) != "null" }

// image is what the containers of a service are made from.
func (m *model) image(service string) string {
	if image := m.Services[service].Image; image != "" {
		return image
	}
	return m.Project + "-" + service
}

// running are the services that are to have a container.
func (m *model) running() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.Services)) {
		if m.Services[name].replicas() > 0 {
			names = append(names, name)
		}
	}
	return names
}

// oneShots are the services that others wait for to complete.
func (m *model) oneShots() []string {
	var names []string
	for _, service := range m.Services {
		for name, need := range service.DependsOn {
			if need.Condition == completed {
				names = append(names, name)
			}
		}
	}
	return names
}

// closure is the services and, unless alone, all that they depend on; of none it
// is all. A service that the file does not have is an error.
func (m *model) closure(services []string, alone bool) ([]string, error) {
	if len(services) == 0 {
		return slices.Sorted(maps.Keys(m.Services)), nil
	}
	in := map[string]bool{}
	for rest := slices.Clone(services); len(rest) > 0; rest = rest[1:] {
		name := rest[0]
		service, known := m.Services[name]
		switch {
		case !known:
			f := sdk.Fail("service_missing", "the compose file of %s has no service %s", m.Project, name)
			f.Argument, f.Remedy = "services", "it has "+strings.Join(slices.Sorted(maps.Keys(m.Services)), ", ")
			return nil, f
		case in[name]:
			continue
		}
		in[name] = true
		if !alone {
			rest = append(rest, slices.Collect(maps.Keys(service.DependsOn))...)
		}
	}
	return slices.Sorted(maps.Keys(in)), nil
}
