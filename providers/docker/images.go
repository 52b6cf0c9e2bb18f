package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const composeBuildDoc = `Builds the images of services of a compose project that have a build section, and looks what their names stand for afterwards. Containers go on with what they run until
docker.compose_up. previous_image_id in the result is the way back, by docker.tag. What a build makes is not known before: the preview counts the images that are built.
Doing it again is harmless.`

const composePullDoc = `Pulls the images of services of a compose project from their registries, and looks whether they are here afterwards; services that are built are left out. Containers go on
with what they run until docker.compose_up. previous_image_id in the result is the way back, by docker.tag. The preview counts the images that are asked for: whether a
registry has a newer one is not known before. Doing it again is harmless.`

type composeBuildArgs struct {
	which
	Services []string `runbook:"services,optional" doc:"Services to build; without them, all that have a build section."`
	NoCache  bool     `runbook:"no_cache" default:"false" doc:"Build every layer anew."`
	Pull     bool     `runbook:"pull" default:"false" doc:"Pull the images that are built upon first."`
}

type composePullArgs struct {
	which
	Services []string `runbook:"services,optional" doc:"Services whose images to pull; without them, all that are not built."`
}

// imageNow is what came of the image of a service.
type imageNow struct {
	Image           string `runbook:"image" doc:"The image's name."`
	ImageID         string `runbook:"image_id" doc:"ID of what it stands for now."`
	PreviousImageID string `runbook:"previous_image_id" doc:"ID of what it stood for before; empty: it was not here."`
}

type imagesResult struct {
	sdk.Result
	Project string              `runbook:"project" doc:"Name of the project."`
	Images  int64               `runbook:"images" doc:"How many images were built or pulled."`
	New     []string            `runbook:"new" doc:"Services whose image is another than before."`
	By      map[string]imageNow `runbook:"by_service" doc:"The images by service."`
}

// fetching is compose build or compose pull, which differ in little.
type fetching struct {
	verb  string // in the past
	which which
	named []string
	flags []string
	built bool // of the services that have a build section, rather than of the others
}

func (args composeBuildArgs) fetching() fetching {
	flags := []string{"build"}
	if args.NoCache {
		flags = append(flags, "--no-cache")
	}
	if args.Pull {
		flags = append(flags, "--pull")
	}
	return fetching{verb: "built", which: args.which, named: args.Services, flags: flags, built: true}
}

func (args composePullArgs) fetching() fetching {
	return fetching{verb: "pulled", which: args.which, named: args.Services, flags: []string{"pull"}}
}

func (p *provider) checkFetching(f *fetching) (failure *schema.Failure) {
	if f.which, failure = p.filed(f.which); failure != nil {
		return failure
	}
	if slices.Contains(f.named, "") {
		return sdk.InvalidArgument("services", "a service has no name")
	}
	return nil
}

// services are those whose images are meant.
func (f fetching) services(m *model) ([]string, error) {
	services, err := m.closure(f.named, true)
	if err != nil {
		return nil, err
	}
	meant := slices.DeleteFunc(services, func(name string) bool { return m.Services[name].builds() != f.built })
	for _, name := range f.named {
		if !slices.Contains(meant, name) {
			what := map[bool]string{true: "has no build section", false: "is built, and not pulled"}[f.built]
			failure := sdk.Fail("service_differs", "the service %s of %s %s", name, m.Project, what)
			failure.Argument, failure.Remedy = "services", "leave it out"
			return nil, failure
		}
	}
	return meant, nil
}

// images are the different images of services.
func (m *model) images(services []string) []string {
	names := map[string]bool{}
	for _, name := range services {
		names[m.image(name)] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (p *provider) fetch(ctx context.Context, call *sdk.Call, f fetching) (imagesResult, error) {
	if failure := p.checkFetching(&f); failure != nil {
		return imagesResult{}, sdk.Clean(failure)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return imagesResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	m, err := p.model(ctx, call, f.which)
	if err != nil {
		return imagesResult{}, sdk.Clean(err)
	}
	services, err := f.services(m)
	if err != nil {
		return imagesResult{}, sdk.Clean(err)
	}
	result := imagesResult{Project: f.which.Project, Images: int64(len(m.images(services))), By: map[string]imageNow{}}
	if failure := limited(call, schema.Impact{"images": result.Images}, f.verb, "name fewer services, or raise limit"); failure != nil {
		return imagesResult{}, sdk.Clean(failure)
	}
	if len(services) == 0 {
		result.Result = sdk.OK("%s has no image to be %s", f.which.Project, f.verb)
		return result, nil
	}
	for _, name := range services {
		before, err := e.imageID(ctx, m.image(name))
		if err != nil {
			return imagesResult{}, sdk.Clean(e.failure(ctx, err))
		}
		result.By[name] = imageNow{Image: m.image(name), PreviousImageID: before}
	}
	if _, err := p.composed(ctx, call, f.which, true, append(f.flags, services...)...); err != nil {
		return imagesResult{}, err
	}
	for _, name := range services {
		image := result.By[name]
		if image.ImageID, err = e.imageID(ctx, image.Image); err != nil {
			return imagesResult{}, e.failure(ctx, err)
		}
		if image.ImageID == "" {
			failure := sdk.Fail("image_missing", "docker compose says that it %s %s, and the engine has no such image", f.verb, image.Image)
			failure.Remedy = "see the step's log for what compose said"
			return imagesResult{}, failure
		}
		if result.By[name] = image; image.ImageID != image.PreviousImageID {
			result.New = append(result.New, name)
		}
	}
	result.Result = sdk.OK("%s %s of %s, %d of them new", f.verb, phrase.Count(result.Images, "image", "images"), f.which.Project, len(result.New))
	return result, nil
}

func (p *provider) composeBuild(ctx context.Context, args composeBuildArgs, call *sdk.Call) (imagesResult, error) {
	return p.fetch(ctx, call, args.fetching())
}

func (p *provider) composePull(ctx context.Context, args composePullArgs, call *sdk.Call) (imagesResult, error) {
	return p.fetch(ctx, call, args.fetching())
}

func (p *provider) describeFetching(f fetching, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{p.config.effect(schema.Write, "images")}, Summary: f.flags[0] + "s images of a compose project"}
	if call.Unknown("project") || call.Unknown("project_dir") {
		return d
	}
	if d.Failure = p.checkFetching(&f); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("%ss images of %s", f.flags[0], f.which.Project)
	if call.Unknown("services") {
		return d
	}
	if len(f.named) > 0 {
		d.Summary = fmt.Sprintf("%ss the images of %s of %s", f.flags[0], listed(f.named), f.which.Project)
	}
	d.Command = p.command(f.which, append(f.flags, f.named...)...)
	return d
}

func (p *provider) describeComposeBuild(args composeBuildArgs, call *sdk.Call) sdk.Description {
	return p.describeFetching(args.fetching(), call)
}

func (p *provider) describeComposePull(args composePullArgs, call *sdk.Call) sdk.Description {
	return p.describeFetching(args.fetching(), call)
}

func (p *provider) previewFetching(ctx context.Context, call *sdk.Call, f fetching) (sdk.PreviewResult, error) {
	if failure := p.checkFetching(&f); failure != nil {
		return sdk.PreviewResult{}, failure
	}
	var preview sdk.PreviewResult
	err := p.use(ctx, func(e *engine) error {
		m, err := p.model(ctx, call, f.which)
		if err != nil {
			return err
		}
		services, err := f.services(m)
		if err != nil {
			return err
		}
		images := m.images(services)
		preview.Impact = schema.Impact{"images": int64(len(images))}
		for _, image := range images {
			id, err := e.imageID(ctx, image)
			if err != nil {
				return err
			}
			now := "is not here yet"
			if id != "" {
				now = "is " + short(id)
			}
			preview.Sample = append(preview.Sample, image+"  "+now)
			preview.Effects = append(preview.Effects, p.config.effect(schema.Write, "images", full(image)))
		}
		return nil
	})
	return preview, err
}

func (p *provider) previewComposeBuild(ctx context.Context, args composeBuildArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	return p.previewFetching(ctx, call, args.fetching())
}

func (p *provider) previewComposePull(ctx context.Context, args composePullArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	return p.previewFetching(ctx, call, args.fetching())
}
