package docker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// composes tells whether a docker compose works on the project.
func (l *lab) composes(t testing.TB) bool {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), "--project-name\x00"+l.project+"\x00") {
			return true
		}
	}
	return false
}

// proven is the compose file of the proof.
const proven = `
services:
  api:
    image: IMAGE
    network_mode: none
    environment: {PASSWORD: "${DB_PASSWORD}"}
    healthcheck: {test: [CMD, /standin, check], interval: 200ms, retries: 2}
    volumes: [data:/data]
volumes: {data: {}}
`

// slowly is a project whose compose up waits for a health check that never ends.
const slowly = `
services:
  slow:
    image: IMAGE
    network_mode: none
    healthcheck: {test: [CMD, /standin, check], interval: 1h}
  after:
    image: IMAGE
    network_mode: none
    depends_on: {slow: {condition: service_healthy}}
`

func TestProof(t *testing.T) {
	// Setups are called time and again: what is there already is left alone, and
	// an engine that cannot be reached needs nothing.
	l := newLab(t, proven)
	unneeded := func(t testing.TB) bool {
		return !strings.Contains(t.Name(), "/probe_") && !strings.Contains(t.Name(), "/action_")
	}
	fresh := func(t testing.TB) {
		l.write(t, proven)
		if !unneeded(t) {
			l.down(t)
		}
	}
	isUp := func(t testing.TB) bool {
		all := l.containers(t)
		return len(all) == 1 && all[0].Health == "healthy"
	}
	up := func(t testing.TB) {
		if unneeded(t) || isUp(t) {
			return
		}
		fresh(t)
		l.up(t)
		until(t, "it is healthy", func() bool { return isUp(t) })
	}
	stopped := func(t testing.TB) {
		if all := l.containers(t); unneeded(t) || len(all) == 1 && all[0].State == "exited" {
			return
		}
		up(t)
		if _, err := l.client.ContainerStop(context.Background(), l.name("api"), client.ContainerStopOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	upWithData := func(t testing.TB) {
		l.write(t, proven)
		if unneeded(t) || isUp(t) && l.has(t, l.project+"_data") {
			return
		}
		l.down(t)
		up(t)
	}
	unused := func(t testing.TB) {
		fresh(t)
		l.volume(t, l.project+"-volume")
	}
	registry := engine.FakeRegistry(t)
	pulled := registry.Publish(t, l.project, "v1", "1")
	pulling, building := l.folder(t, "services:\n  api: {image: "+pulled+"}\n"), l.folder(t, "services:\n  api: {build: ., image: "+l.project+"-built:v1}\n")
	if err := os.WriteFile(filepath.Join(building, "Dockerfile"), []byte("FROM "+l.image+"\nENV VERSION=3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	without := func(image string) func(testing.TB) {
		return func(t testing.TB) { l.untag(t, image) }
	}
	rubbish := map[string]string{"rubbish": l.project}
	api := map[string]any{"container": l.name("api")}
	missing := map[string]any{"container": "no-such-container"}
	sdktest.Prove(t, sdktest.Proof{
		Provider: docker.Provider,
		Config:   config(l.project, l.dir),
		Secrets:  []string{"hunter2-compose", "hunter2-exec"},
		World:    func(t testing.TB) any { return l.world(t, pulled) },
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"host": fmt.Sprintf("tcp://127.0.0.1:%d", backendtest.Refused(t))}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"host": fmt.Sprintf("tcp://127.0.0.1:%d", backendtest.Blackhole(t)), "answer_timeout": "300ms"}, Code: "timeout"},
			{Name: "no engine", Config: map[string]any{"host": "unix://" + filepath.Join(t.TempDir(), "docker.sock")}, Code: "engine_missing"},
			{Name: "unknown host", Config: map[string]any{"host": "tcp://nowhere.invalid:2375"}, Code: "host_unknown"},
			{Name: "newer API", Config: map[string]any{"api_version": "1.99"}, Code: "api_version"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "container", Setup: up, Args: api, Refused: []sdktest.Refused{{Args: map[string]any{"container": ""}, Code: "invalid_argument"}}},
			{Name: "project", Setup: up, Refused: []sdktest.Refused{
				{Args: map[string]any{"project": "No Project"}, Code: "invalid_argument"},
				{Args: map[string]any{"project_dir": filepath.Join(l.dir, "nowhere")}, Code: "project_dir_missing"},
			}},
			{Name: "logs", Setup: up, Args: api, Refused: []sdktest.Refused{
				{Args: missing, Code: "container_missing"},
				{Args: map[string]any{"container": l.name("api"), "pattern": "("}, Code: "invalid_argument"},
			}},
			{Name: "disk_usage", Refused: []sdktest.Refused{{Args: map[string]any{"max_bytes": -1}, Code: "invalid_argument"}}},
			{Name: "image", Args: map[string]any{"image": l.image}, Refused: []sdktest.Refused{{Args: map[string]any{"image": ""}, Code: "invalid_argument"}}},
			{Name: "config_drift", Setup: up, Refused: []sdktest.Refused{
				{Args: map[string]any{"services": []string{"gateway"}}, Code: "service_missing"},
				{Args: map[string]any{"project_dir": filepath.Join(l.dir, "nowhere")}, Code: "project_dir_missing"},
			}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "restart", Setup: stopped, Args: quick(api), Class: schema.Idempotent,
				Refused: []sdktest.Refused{
					{Args: missing, Code: "container_missing"},
					{Args: map[string]any{"service": "gateway"}, Code: "container_missing"},
					{Args: map[string]any{"service": "api", "container": "api"}, Code: "invalid_argument"},
				},
			},
			{
				Name: "compose_up", Setup: fresh, Args: quick(nil), Class: schema.Idempotent,
				Slow: &sdktest.Slow{
					Setup:   func(t testing.TB) { fresh(t); l.write(t, slowly) },
					Args:    quick(map[string]any{"services": []string{"after"}}),
					Working: func(t testing.TB) bool { return l.composes(t) && len(l.containers(t)) > 0 },
				},
				Refused: []sdktest.Refused{
					{Args: quick(map[string]any{"services": []string{"gateway"}}), Code: "service_missing"},
					{Args: quick(map[string]any{"project_dir": filepath.Join(l.dir, "nowhere")}), Code: "project_dir_missing"},
					{Args: quick(map[string]any{"pull": "perhaps"}), Code: "invalid_argument"},
				},
			},
			{
				Name: "compose_stop", Setup: up, Args: map[string]any{"stop_timeout": "5s"}, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Args: map[string]any{"services": []string{"gateway"}}, Code: "service_missing"}},
			},
			{
				Name: "compose_down", Setup: upWithData, Args: map[string]any{"volumes": true}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{{Args: map[string]any{"stop_timeout": "-1s"}, Code: "invalid_argument"}},
			},
			{
				Name: "compose_build", Setup: without(l.project + "-built:v1"), Args: map[string]any{"project_dir": building}, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Args: map[string]any{"services": []string{"api"}}, Code: "service_differs"}},
			},
			{
				Name: "compose_pull", Setup: without(pulled), Args: map[string]any{"project_dir": pulling}, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Args: map[string]any{"project_dir": building, "services": []string{"api"}}, Code: "service_differs"}},
			},
			{
				Name: "tag", Setup: without(l.project + "-app:current"), Class: schema.Idempotent,
				Args: map[string]any{"source": l.image, "target": l.project + "-app:current"},
				Refused: []sdktest.Refused{
					{Args: map[string]any{"source": "no-such-image", "target": "a"}, Code: "image_missing"},
					{Args: map[string]any{"source": l.image, "target": "No:Reference:at all"}, Code: "invalid_argument"},
				},
			},
			{
				Name: "exec", Setup: up, Class: schema.Manual, Destroys: true, Unseen: true,
				Args: map[string]any{"container": l.name("api"), "argv": []string{"/standin", "say", "hello"}, "env": map[string]string{"PASSWORD": "hunter2-exec"}},
				Refused: []sdktest.Refused{
					{Args: map[string]any{"container": "no-such-container", "argv": []string{"true"}}, Code: "container_missing"},
					{Setup: stopped, Args: map[string]any{"container": l.name("api"), "argv": []string{"true"}}, Code: "container_not_running"},
					{Args: map[string]any{"container": l.name("api"), "argv": []string{}}, Code: "invalid_argument"},
				},
			},
			{
				Name: "prune", Class: schema.Idempotent, Destroys: true,
				Setup: func(t testing.TB) {
					if !unneeded(t) {
						l.litter(t, rubbish)
					}
				},
				Args: map[string]any{
					"containers": true, "networks": true, "images": "unused", "anonymous_volumes": true, "label": "rubbish=" + l.project,
				},
				Refused: []sdktest.Refused{
					{Args: map[string]any{}, Code: "invalid_argument"},
					{Setup: up, Args: map[string]any{"volumes": []string{l.project + "_data"}}, Code: "in_use"},
				},
			},
			{
				Name: "volume_remove", Setup: unused, Class: schema.Idempotent, Destroys: true,
				Args: map[string]any{"volumes": []string{l.project + "-volume"}},
				Refused: []sdktest.Refused{
					{Args: map[string]any{"volumes": []string{}}, Code: "invalid_argument"},
					{Setup: up, Args: map[string]any{"volumes": []string{l.project + "_data"}}, Code: "in_use"},
				},
			},
		},
	})
}
