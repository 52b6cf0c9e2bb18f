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
  init:
    image: IMAGE
    command: [once]
    network_mode: none
  api:
    image: IMAGE
    network_mode: none
    depends_on: {init: {condition: service_completed_successfully}}
    environment: {PASSWORD: "${DB_PASSWORD}"}
    healthcheck: {test: [CMD, /standin, check], interval: 200ms, retries: 2}
`

// slowly is a project whose compose up waits for a health check that never ends.
const slowly = proven + `
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
	// Setups are called time and again: what is there already is left alone.
	l := newLab(t, proven)
	fresh := func(t testing.TB) {
		l.write(t, proven)
		l.down(t)
	}
	isUp := func(t testing.TB) bool {
		all := l.containers(t)
		return len(all) == 2 && all[0].Health == "healthy" && all[1].State == "exited"
	}
	up := func(t testing.TB) {
		if isUp(t) {
			return
		}
		fresh(t)
		l.up(t)
		until(t, "it is healthy", func() bool { return isUp(t) })
	}
	stopped := func(t testing.TB) {
		if all := l.containers(t); len(all) == 2 && all[0].State == "exited" {
			return
		}
		up(t)
		if _, err := l.client.ContainerStop(context.Background(), l.name("api"), client.ContainerStopOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	unchanging := func(all []seen) []seen {
		for i := range all {
			all[i].id, all[i].started = "", ""
		}
		return all
	}
	api := map[string]any{"container": l.name("api")}
	missing := map[string]any{"container": "no-such-container"}
	sdktest.Prove(t, sdktest.Proof{
		Provider: docker.Provider,
		Config:   config(l.project, l.dir),
		Secrets:  []string{"hunter2-compose"},
		World:    func(t testing.TB) any { return fmt.Sprint(unchanging(l.containers(t))) },
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
		},
	})
}
