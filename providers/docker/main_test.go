package docker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var engine *backendtest.Docker

func TestMain(m *testing.M) {
	sdktest.Serve(docker.Provider)
	if os.Getenv(unprivileged) != "" {
		os.Exit(m.Run()) // without an engine of its own
	}
	backendtest.Main(m, backendtest.WithDocker(&engine))
}

// lab is a compose project of stand-ins, and the provider that looks after it.
type lab struct {
	*sdktest.Harness
	client  *client.Client
	project string
	dir     string
	image   string // of the stand-in, version 1
}

// config is the provider's configuration for a project of the test's engine.
func config(project, dir string) map[string]any {
	return map[string]any{
		"host": engine.Host(), "config_folder": engine.Config, "project": project, "project_dir": dir,
		"env": map[string]string{"DOCKER_BUILDKIT": "0", "DB_PASSWORD": "hunter2-compose"},
	}
}

// newLab makes a project without containers yet; its compose file is that of
// compose, with IMAGE for its image.
func newLab(t testing.TB, compose string) *lab {
	t.Helper()
	l := &lab{client: engine.Client(t), project: engine.Name(), dir: t.TempDir()}
	l.image = l.project + "-app:v1"
	engine.Image(t, l.image, "1")
	l.write(t, compose)
	l.Harness = sdktest.New(t, docker.Provider(), config(l.project, l.dir))
	t.Cleanup(func() { l.down(t) })
	return l
}

func (l *lab) write(t testing.TB, compose string) {
	t.Helper()
	text := strings.ReplaceAll(compose, "IMAGE", l.image)
	if err := os.WriteFile(filepath.Join(l.dir, "compose.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// down removes the project's containers, networks and volumes.
func (l *lab) down(t testing.TB) {
	t.Helper()
	defer func() {
		for _, name := range append(l.volumes(t), l.project+"-volume") {
			_, err := l.client.VolumeRemove(context.Background(), name, client.VolumeRemoveOptions{})
			if err != nil && !cerrdefs.IsNotFound(err) {
				t.Error(err)
			}
		}
	}()
	for _, c := range l.containers(t) {
		if _, err := l.client.ContainerRemove(context.Background(), c.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			t.Error(err)
		}
	}
}

// seen is a container as the tests compare it.
type seen struct {
	Name, State, Health, Image string

	id, started string
}

// containers are the project's, by name.
func (l *lab) containers(t testing.TB) []seen {
	t.Helper()
	listed, err := l.client.ContainerList(context.Background(), client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", "com.docker.compose.project="+l.project),
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []seen
	for _, c := range listed.Items {
		all = append(all, l.container(t, c.ID))
	}
	slices.SortFunc(all, func(a, b seen) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (l *lab) container(t testing.TB, id string) seen {
	t.Helper()
	found, err := l.client.ContainerInspect(context.Background(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := found.Container
	health := "none"
	if c.State.Health != nil {
		health = string(c.State.Health.Status)
	}
	return seen{strings.TrimPrefix(c.Name, "/"), string(c.State.Status), health, c.Image, c.ID, c.State.StartedAt}
}

// name is the container of a service.
func (l *lab) name(service string) string { return l.project + "-" + service + "-1" }

// exec runs the stand-in's own command in a service's container.
func (l *lab) exec(t testing.TB, service string, args ...string) {
	t.Helper()
	created, err := l.client.ExecCreate(context.Background(), l.name(service), client.ExecCreateOptions{Cmd: append([]string{"/standin"}, args...)})
	if err == nil {
		_, err = l.client.ExecStart(context.Background(), created.ID, client.ExecStartOptions{})
	}
	if err != nil {
		t.Fatalf("%s in %s: %v", args, service, err)
	}
}

// up brings the project up by compose itself.
func (l *lab) up(t testing.TB, args ...string) {
	t.Helper()
	if said, err := engine.Compose(t, l.dir, append([]string{"--project-name", l.project, "up", "--detach"}, args...)...); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// services is the compose file of most tests: an api with a health check that
// waits for a one-shot, and a worker without one.
const services = `
services:
  init:
    image: IMAGE
    command: [once]
    network_mode: none
  api:
    image: IMAGE
    network_mode: none
    depends_on: {init: {condition: service_completed_successfully}}
    environment: {NAME: api}
    stop_grace_period: 1s
    healthcheck: {test: [CMD, /standin, check], interval: 200ms, retries: 2}
  worker:
    image: IMAGE
    command: [wait]
    network_mode: none
    stop_grace_period: 1s
`

// quick has no patience to spare.
func quick(args map[string]any) map[string]any {
	all := map[string]any{"stable_for": "10ms"}
	for name, value := range args {
		all[name] = value
	}
	return all
}

// done fails the test where an outcome is no success.
func done(t testing.TB, o schema.Outcome) map[string]any {
	t.Helper()
	if o.State != schema.Done {
		t.Fatalf("it is %s: %v", o.State, o.Failure)
	}
	return sdktest.Go(t, o.Result).(map[string]any)
}

// failed fails the test where an outcome is not this failure.
func failed(t testing.TB, o schema.Outcome, state schema.State, code string) *schema.Failure {
	t.Helper()
	if o.State != state || o.Failure == nil || o.Failure.Code != code {
		t.Fatalf("it is not %s %s: %s %v", state, code, o.State, describe(o))
	}
	return o.Failure
}

func describe(o schema.Outcome) string {
	if o.Failure != nil {
		return fmt.Sprintf("%s: %s", o.Failure.Code, o.Failure.Message)
	}
	return fmt.Sprint(o.Result)
}
