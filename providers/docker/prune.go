package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pruneDoc = `Removes what nothing uses, of the kinds that are named: containers that have ended, networks without a container, images, and volumes. The preview lists every single thing;
each is removed by itself and never by force, so that what has come into use meanwhile is kept. The engine's own prune is not asked: below API 1.42 it takes named volumes along
with the anonymous ones. Here a named volume goes only where volumes names it. A container that has ended counts as a user of its image, networks and volumes, unless it goes
too. There is no way back. Doing it again is harmless.`

func pruneUnits() []string { return []string{"containers", "networks", "images", "volumes", "bytes"} }

type pruneArgs struct {
	Containers       bool           `runbook:"containers" default:"false" doc:"Containers that have ended or were never started. One-shots of compose projects are among them."`
	Networks         bool           `runbook:"networks" default:"false" doc:"Networks that no container is in, but the engine's own."`
	Images           string         `runbook:"images" default:"none" doc:"none; dangling (images without a reference); or unused (all that no container was made from)."`
	AnonymousVolumes bool           `runbook:"anonymous_volumes" default:"false" doc:"Volumes that nobody named and no container uses."`
	Volumes          []string       `runbook:"volumes,optional" doc:"Named volumes that go too. One that a container uses is refused."`
	OlderThan        *time.Duration `runbook:"older_than" doc:"Only what is older: containers by their end, all else by when it was made. It does not count for volumes that are named. Without it, any age."`
	Label            string         `runbook:"label,optional" doc:"Only what has this label, as NAME or NAME=VALUE. It does not count for volumes that are named."`
}

type pruneResult struct {
	sdk.Result
	Containers int64    `runbook:"containers" doc:"How many containers were removed."`
	Networks   int64    `runbook:"networks" doc:"How many networks were removed."`
	Images     int64    `runbook:"images" doc:"How many images were removed."`
	Volumes    int64    `runbook:"volumes" doc:"How many volumes were removed."`
	Bytes      int64    `runbook:"bytes" doc:"What they took, as far as the engine can measure it; layers that images share are not counted."`
	Removed    []string `runbook:"removed" doc:"What was removed, such as \"image api:v1\"."`
	Kept       []string `runbook:"kept" doc:"What was to go and was in use by then."`
}

func (args pruneArgs) validate() *schema.Failure {
	switch {
	case !slices.Contains([]string{"none", "dangling", "unused"}, args.Images):
		return sdk.InvalidArgument("images", "images is none, dangling or unused, not %q", args.Images)
	case args.OlderThan != nil && *args.OlderThan < 0:
		return sdk.InvalidArgument("older_than", "older_than must not be negative, got %s", *args.OlderThan)
	case slices.Contains(args.Volumes, ""):
		return sdk.InvalidArgument("volumes", "a volume has no name")
	case !args.Containers && !args.Networks && args.Images == "none" && !args.AnonymousVolumes && len(args.Volumes) == 0:
		f := sdk.InvalidArgument("containers", "nothing is named that is to go")
		f.Remedy = "set one of containers, networks, images, anonymous_volumes and volumes"
		return f
	}
	return nil
}

// rubbish is one thing that nothing uses.
type rubbish struct {
	kind   string // in the plural: containers, networks, images or volumes
	name   string
	note   string
	bytes  int64
	remove func(context.Context) error
}

func (r rubbish) String() string { return strings.TrimSuffix(r.kind, "s") + " " + r.name }

func impactOf(all []rubbish) schema.Impact {
	impact := schema.Impact{"containers": 0, "networks": 0, "images": 0, "volumes": 0, "bytes": 0}
	for _, r := range all {
		impact[r.kind]++
		impact["bytes"] += r.bytes
	}
	return impact
}

func (p *provider) prune(ctx context.Context, args pruneArgs, call *sdk.Call) (pruneResult, error) {
	if f := args.validate(); f != nil {
		return pruneResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return pruneResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	all, err := e.rubbish(ctx, args)
	if err != nil {
		return pruneResult{}, sdk.Clean(e.failure(ctx, err))
	}
	if f := limited(call, impactOf(all), "removed", "narrow it by older_than or label, or raise limit"); f != nil {
		return pruneResult{}, sdk.Clean(f)
	}
	var result pruneResult
	var gone []rubbish
	for i, r := range all {
		call.Progress(float64(i), float64(len(all)), "removing %s", r)
		switch err := r.remove(ctx); {
		case err == nil:
			gone = append(gone, r)
			result.Removed = append(result.Removed, r.String())
		case cerrdefs.IsNotFound(err): // somebody else was quicker
		case cerrdefs.IsConflict(err), cerrdefs.IsPermissionDenied(err):
			result.Kept = append(result.Kept, r.String())
		case len(gone) == 0 && answered(err):
			return pruneResult{}, sdk.Clean(e.failure(ctx, err))
		default:
			return pruneResult{}, fmt.Errorf("after removing %d of %d, at %s: %w", len(gone), len(all), r, e.sent(ctx, err))
		}
	}
	did := impactOf(gone)
	result.Containers, result.Networks, result.Images, result.Volumes, result.Bytes = did["containers"], did["networks"], did["images"], did["volumes"], did["bytes"]
	result.Result = sdk.OK("removed %s", counts(did))
	if n := int64(len(result.Kept)); n > 0 {
		result.Summary += fmt.Sprintf("; %s in use by then, and kept", phrase.Count(n, "more was", "more were"))
	}
	return result, nil
}

// counts is an impact as people read it.
func counts(impact schema.Impact) string {
	var parts []string
	for _, kind := range []string{"container", "network", "image", "volume"} {
		if n := impact[kind+"s"]; n > 0 {
			parts = append(parts, phrase.Count(n, kind, kind+"s"))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%s, %s", strings.Join(parts, ", "), phrase.Size(impact["bytes"]))
}

func (p *provider) describePrune(args pruneArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: true, Summary: "removes what nothing uses", Effects: []schema.Effect{p.config.effect(schema.Delete)}}
	for _, argument := range []string{"containers", "networks", "images", "anonymous_volumes", "volumes", "older_than"} {
		if call.Unknown(argument) {
			return d
		}
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Effects = nil
	add := func(what string, command ...string) {
		d.Effects = append(d.Effects, p.config.effect(schema.Delete, what))
		if len(d.Command) == 0 {
			d.Command = command
		}
	}
	if args.Containers {
		add("containers", "docker", "container", "prune")
	}
	if args.Networks {
		add("networks", "docker", "network", "prune")
	}
	switch args.Images {
	case "dangling":
		add("images", "docker", "image", "prune")
	case "unused":
		add("images", "docker", "image", "prune", "--all")
	}
	if args.AnonymousVolumes {
		add("volumes", "docker", "volume", "prune")
	}
	if len(args.Volumes) > 0 {
		add("volumes", append([]string{"docker", "volume", "rm"}, args.Volumes...)...)
	}
	// No single command of docker's does it all, nor spares what this one spares.
	if len(d.Effects) > 1 || args.AnonymousVolumes || args.OlderThan != nil || args.Label != "" {
		d.Command = nil
	}
	return d
}

func (p *provider) previewPrune(ctx context.Context, args pruneArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := args.validate(); f != nil {
		return sdk.PreviewResult{}, f
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		all, err := e.rubbish(ctx, args)
		if err != nil {
			return err
		}
		preview.Impact = impactOf(all)
		for _, r := range all {
			preview.Sample = append(preview.Sample, fmt.Sprintf("%s  %s", r, r.note))
			preview.Effects = append(preview.Effects, p.config.effect(schema.Delete, r.kind, r.name))
		}
		if len(all) == 0 {
			preview.Effects = []schema.Effect{}
		}
		preview.Summary = "removes " + counts(preview.Impact)
		return nil
	})
	return preview, err
}

// sweep finds what nothing uses.
type sweep struct {
	*engine
	args  pruneArgs
	found []rubbish
	// What the containers that stay use.
	images, networks, volumes map[string]bool
}

// rubbish is all that is to go, in the order in which it can: users first.
func (e *engine) rubbish(ctx context.Context, args pruneArgs) ([]rubbish, error) {
	s := &sweep{engine: e, args: args, images: map[string]bool{}, networks: map[string]bool{}, volumes: map[string]bool{}}
	for _, look := range []func(context.Context) error{s.containers, s.unusedNetworks, s.unusedImages, s.unusedVolumes} {
		if err := look(ctx); err != nil {
			return nil, err
		}
	}
	return s.found, nil
}

// fits tells whether a thing is old enough and has the label.
func (s *sweep) fits(made time.Time, labels map[string]string) bool {
	if s.args.OlderThan != nil && time.Since(made) < *s.args.OlderThan {
		return false
	}
	name, value, valued := strings.Cut(s.args.Label, "=")
	got, has := labels[name]
	return name == "" || has && (!valued || got == value)
}

func aged(made time.Time) string {
	return "made " + phrase.Span(time.Since(made).Seconds()) + " ago"
}

func (s *sweep) containers(ctx context.Context) error {
	listed, err := s.ContainerList(ctx, client.ContainerListOptions{All: true, Size: s.args.Containers})
	if err != nil {
		return err
	}
	for _, c := range listed.Items {
		if s.args.Containers && slices.Contains([]string{"created", "exited", "dead"}, string(c.State)) {
			state, err := s.look(ctx, c.ID)
			if cerrdefs.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			ended := time.Unix(c.Created, 0)
			if state.FinishedAt != nil {
				ended = *state.FinishedAt
			}
			if s.fits(ended, c.Labels) {
				s.found = append(s.found, rubbish{"containers", state.Name, phraseOf(state) + ", " + phrase.Span(time.Since(ended).Seconds()) + " ago", c.SizeRw,
					func(ctx context.Context) error {
						_, err := s.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{})
						return err
					}})
				continue
			}
		}
		s.images[c.ImageID] = true
		for _, mount := range c.Mounts {
			s.volumes[mount.Name] = true
		}
		if c.NetworkSettings != nil {
			for name, network := range c.NetworkSettings.Networks {
				s.networks[name] = true
				if network != nil {
					s.networks[network.NetworkID] = true
				}
			}
		}
	}
	slices.SortFunc(s.found, func(a, b rubbish) int { return strings.Compare(a.name, b.name) })
	return nil
}

func (s *sweep) unusedNetworks(ctx context.Context) error {
	if !s.args.Networks {
		return nil
	}
	listed, err := s.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return err
	}
	for _, n := range listed.Items {
		own := slices.Contains([]string{"bridge", "host", "none", "ingress", "docker_gwbridge"}, n.Name)
		if own || s.networks[n.ID] || s.networks[n.Name] || !s.fits(n.Created, n.Labels) {
			continue
		}
		s.found = append(s.found, rubbish{"networks", n.Name, aged(n.Created), 0, func(ctx context.Context) error {
			_, err := s.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			return err
		}})
	}
	return nil
}
