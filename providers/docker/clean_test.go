package docker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// withAnonymous starts a container with a volume that nobody named, and returns
// the names of both.
func (l *lab) withAnonymous(t testing.TB) (name, volume string) {
	t.Helper()
	options := create()
	options.Config.Labels = map[string]string{"rubbish": l.project}
	options.HostConfig.Mounts = []mount.Mount{{Type: mount.TypeVolume, Target: "/scratch"}}
	name = l.plain(t, options, "once")
	found, err := l.client.ContainerInspect(context.Background(), name, client.ContainerInspectOptions{})
	if err != nil || len(found.Container.Mounts) != 1 {
		t.Fatal(err, found.Container.Mounts)
	}
	until(t, "it has ended", func() bool { return l.container(t, name).State == "exited" })
	return name, found.Container.Mounts[0].Name
}

func (l *lab) hasVolume(name string) bool {
	_, err := l.client.VolumeInspect(context.Background(), name, client.VolumeInspectOptions{})
	return err == nil
}

// The engine's own prune takes named volumes below API 1.42, which is what the
// test's engine speaks; ours never does.
func TestPruneKeepsNamedVolumesBelowAPI142(t *testing.T) {
	for _, version := range []string{"1.41", "1.40"} {
		t.Run(version, func(t *testing.T) {
			l := newLab(t, services)
			named := l.project + "-volume"
			l.volume(t, named)
			container, volume := l.withAnonymous(t)
			pinned := config(l.project, l.dir)
			pinned["api_version"] = version
			h := sdktest.New(t, docker.Provider(), pinned)
			prune := map[string]any{"anonymous_volumes": true}

			if result := done(t, h.Act("prune", prune)); result["volumes"] != 0 || !l.hasVolume(volume) {
				t.Errorf("it took a volume of a container that has ended: %v", result["removed"])
			}
			if _, err := l.client.ContainerRemove(context.Background(), container, client.ContainerRemoveOptions{}); err != nil {
				t.Fatal(err)
			}
			result := done(t, h.Act("prune", prune))
			if diff := cmp.Diff(map[string]any{"volumes": 1, "removed": []any{"volume " + volume}}, part(result, "volumes", "removed")); diff != "" {
				t.Error(diff)
			}
			if !l.hasVolume(named) {
				t.Fatal("a named volume went that nobody named")
			}

			old, err := client.New(client.WithHost(engine.Host()), client.WithAPIVersion(version))
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			if _, err := old.VolumePrune(context.Background(), client.VolumePruneOptions{}); err != nil {
				t.Fatal(err)
			}
			if l.hasVolume(named) {
				t.Error("the engine's own prune keeps named volumes: the hazard is gone")
			}
			l.volume(t, named)
			result = done(t, h.Act("prune", map[string]any{"volumes": []string{named}}))
			if diff := cmp.Diff([]any{"volume " + named}, result["removed"]); diff != "" || l.hasVolume(named) {
				t.Error(diff)
			}
		})
	}
}

// What goes together with its user goes in one sweep; what is too young stays.
func TestPruneByAgeAndUse(t *testing.T) {
	l := newLab(t, services)
	container, volume := l.withAnonymous(t)
	all := map[string]any{"containers": true, "anonymous_volumes": true, "label": "rubbish=" + l.project}
	old := map[string]any{"older_than": "24h"}
	for name, value := range all {
		old[name] = value
	}
	if foretold := l.Preview("prune", old); foretold.Impact["containers"] != 0 || !foretold.Destructive {
		t.Errorf("what has just ended is a day old: %v", foretold.Sample)
	}
	foretold := l.Preview("prune", all)
	if diff := cmp.Diff(schema.Impact{"containers": 1, "networks": 0, "images": 0, "volumes": 0, "bytes": 0}, foretold.Impact); diff != "" {
		t.Error(diff)
	}
	result := done(t, l.Act("prune", all))
	if diff := cmp.Diff([]any{"container " + container}, result["removed"]); diff != "" {
		t.Error(diff)
	}
	// A volume carries no label of its container's.
	if !l.hasVolume(volume) {
		t.Error("a volume without the label went")
	}
	done(t, l.Act("volume_remove", map[string]any{"volumes": []string{volume}}))
}

func TestPruneOfImages(t *testing.T) {
	l := newLab(t, services)
	user := l.plain(t, create(), "wait")
	old := l.container(t, user).Image
	engine.Image(t, l.image, "2")
	spare := l.project + "-spare:v1"
	engine.Image(t, spare, "3")
	if _, err := l.client.ImageTag(context.Background(), client.ImageTagOptions{Source: spare, Target: l.project + "-spare:v2"}); err != nil {
		t.Fatal(err)
	}
	// The old one has no reference any more, and a container still.
	done(t, l.Act("prune", map[string]any{"images": "dangling"}))
	if _, err := l.client.ImageInspect(context.Background(), old); err != nil {
		t.Errorf("an image that runs went: %v", err)
	}
	if diff := cmp.Diff([]string{l.image, l.project + "-spare:v1", l.project + "-spare:v2"}, l.images(t)); diff != "" {
		t.Error(diff)
	}
	result := done(t, l.Act("prune", map[string]any{"images": "unused", "label": "version=3"}))
	if diff := cmp.Diff(map[string]any{"images": 1, "removed": []any{"image " + spare}}, part(result, "images", "removed")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{l.image}, l.images(t)); diff != "" {
		t.Error(diff)
	}
}

const withData = services + `    volumes: ["data:/data", "/scratch"]
volumes: {data: {}}
`

func TestDownKeepsDataUnlessTold(t *testing.T) {
	l := newLab(t, withData)
	done(t, l.Act("compose_up", quick(nil)))
	image := l.container(t, l.name("api")).Image
	if d := l.Describe("compose_down", nil); d.Destructive {
		t.Error("down without volumes is called destructive")
	}
	result := done(t, l.Act("compose_down", map[string]any{"stop_timeout": "2s"}))
	if diff := cmp.Diff(map[string]any{"containers": 3, "volumes": 0}, part(result, "containers", "volumes")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"image": l.image, "image_id": image}, result["previous"].(map[string]any)["api"]); diff != "" {
		t.Error(diff)
	}
	if !l.has(t, l.project+"_data") || len(l.containers(t)) != 0 {
		t.Errorf("it left %v and %v", l.volumes(t), l.containers(t))
	}

	done(t, l.Act("compose_up", quick(nil)))
	down := map[string]any{"volumes": true, "stop_timeout": "2s"}
	foretold := l.Preview("compose_down", down)
	if !foretold.Destructive || foretold.Impact["volumes"] != 2 || foretold.Impact["containers"] != 3 {
		t.Errorf("it foretells %v, destructive %t: %v", foretold.Impact, foretold.Destructive, foretold.Sample)
	}
	failed(t, l.Act("compose_down", down, sdktest.Limit("volumes", 0)), schema.FailedClean, "limit_exceeded")
	if result := done(t, l.Act("compose_down", down)); result["volumes"] != 2 || l.has(t, l.project+"_data") {
		t.Errorf("it removed %v", result["removed"])
	}
}

func TestPullAndTheWayBack(t *testing.T) {
	registry := engine.FakeRegistry(t)
	l := newLab(t, services)
	image := registry.Publish(t, l.project, "current", "1")
	l.image = image
	l.write(t, services)
	first := done(t, l.Act("compose_pull", map[string]any{"services": []string{"api"}}))
	old := first["by_service"].(map[string]any)["api"].(map[string]any)
	if old["previous_image_id"] != "" || old["image"] != image || first["images"] != 1 {
		t.Errorf("the first pull says %v", first)
	}
	registry.Publish(t, l.project, "current", "2")
	second := done(t, l.Act("compose_pull", map[string]any{"services": []string{"api"}}))
	now := second["by_service"].(map[string]any)["api"].(map[string]any)
	if now["previous_image_id"] != old["image_id"] || now["image_id"] == old["image_id"] || fmt.Sprint(second["new"]) != "[api]" {
		t.Errorf("the second pull says %v", second)
	}
	back := done(t, l.Act("tag", map[string]any{"source": old["image_id"], "target": image}))
	if diff := cmp.Diff(map[string]any{"tags": 1, "image_id": old["image_id"], "previous_image_id": now["image_id"]},
		part(back, "tags", "image_id", "previous_image_id")); diff != "" {
		t.Error(diff)
	}

	for code, missing := range map[string]string{
		"image_missing":        registry.Address + "/" + l.project + ":nowhere",
		"registry_unreachable": "127.0.0.1:1/nowhere:v1",
	} {
		l.image = missing
		l.write(t, services)
		failed(t, l.Act("compose_pull", nil), schema.FailedPartial, code)
	}
}
