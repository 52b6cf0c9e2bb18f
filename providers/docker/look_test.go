package docker_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// until waits for something that an engine does by itself.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// part picks fields of a result.
func part(all any, fields ...string) map[string]any {
	picked := map[string]any{}
	for _, name := range fields {
		picked[name] = all.(map[string]any)[name]
	}
	return picked
}

func TestContainer(t *testing.T) {
	l := newLab(t, services)
	api := map[string]any{"container": l.name("api")}
	missing := done(t, l.Probe("container", api))
	if diff := cmp.Diff(map[string]any{"ok": false, "exists": false, "state": "missing", "summary": "there is no container " + l.name("api")},
		part(missing, "ok", "exists", "state", "summary")); diff != "" {
		t.Error(diff)
	}

	done(t, l.Act("compose_up", quick(nil)))
	seen := done(t, l.Probe("container", api))
	if diff := cmp.Diff(map[string]any{
		"ok": true, "exists": true, "name": l.name("api"), "state": "running", "health": "healthy", "exit_code": nil, "oom_killed": false, "error": "",
		"restarts": 0, "image": l.image, "project": l.project, "service": "api", "last_check": "api 1 is well", "summary": l.name("api") + " is healthy",
	}, part(seen, "ok", "exists", "name", "state", "health", "exit_code", "oom_killed", "error", "restarts", "image", "project", "service", "last_check", "summary")); diff != "" {
		t.Error(diff)
	}
	if young := done(t, l.Probe("container", map[string]any{"container": l.name("api"), "min_uptime": "100h"})); young["ok"] != false {
		t.Errorf("it has run for 100h: %v", young)
	}

	l.exec(t, "api", "break")
	until(t, "it turns unhealthy", func() bool { return l.container(t, l.name("api")).Health == "unhealthy" })
	sick := done(t, l.Probe("container", api))
	if diff := cmp.Diff(map[string]any{"ok": false, "state": "running", "summary": l.name("api") + " is unhealthy: api 1 is not well"},
		part(sick, "ok", "state", "summary")); diff != "" {
		t.Error(diff)
	}

	for oneShot, want := range map[bool]string{
		true:  l.name("init") + " did its work and exited 0",
		false: l.name("init") + " has ended with exit code 0",
	} {
		got := done(t, l.Probe("container", map[string]any{"container": l.name("init"), "one_shot": oneShot}))
		if diff := cmp.Diff(map[string]any{"ok": oneShot, "state": "exited", "exit_code": 0, "summary": want}, part(got, "ok", "state", "exit_code", "summary")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestProjectSeesEveryService(t *testing.T) {
	l := newLab(t, services)
	none := done(t, l.Probe("project", nil))
	if diff := cmp.Diff(map[string]any{"ok": false, "missing": []any{"api", "init", "worker"}}, part(none, "ok", "missing")); diff != "" {
		t.Error(diff)
	}
	done(t, l.Act("compose_up", quick(nil)))
	seen := done(t, l.Probe("project", nil))
	if diff := cmp.Diff(map[string]any{"ok": true, "failing": []any{}, "summary": "all 3 services of " + l.project + " are as they should be, in 3 containers"},
		part(seen, "ok", "failing", "summary")); diff != "" {
		t.Error(diff)
	}
	api := seen["services"].(map[string]any)["api"]
	if diff := cmp.Diff(map[string]any{"ok": true, "state": "running", "health": "healthy", "one_shot": false, "image": l.image, "image_id": l.container(t, l.name("api")).Image},
		part(api, "ok", "state", "health", "one_shot", "image", "image_id")); diff != "" {
		t.Error(diff)
	}

	// A service that ended is no one-shot, even with exit code 0, unless somebody
	// says so.
	if _, err := engine.Compose(t, l.dir, "--project-name", l.project, "stop", "worker"); err != nil {
		t.Fatal(err)
	}
	ended := done(t, l.Probe("project", nil))
	if diff := cmp.Diff(map[string]any{"ok": false, "failing": []any{"worker"}, "missing": []any{}, "summary": "worker has ended with exit code 0"},
		part(ended, "ok", "failing", "missing", "summary")); diff != "" {
		t.Error(diff)
	}
	if told := done(t, l.Probe("project", map[string]any{"one_shots": []string{"worker"}})); told["ok"] != true {
		t.Errorf("a one-shot that exited 0 is not ok: %v", told["summary"])
	}
}

// Without the compose file only containers tell of services.
func TestProjectWithoutItsFile(t *testing.T) {
	l := newLab(t, services)
	fileless := config(l.project, l.dir)
	delete(fileless, "project_dir")
	h := sdktest.New(t, docker.Provider(), fileless)
	empty := done(t, h.Probe("project", nil))
	if diff := cmp.Diff(map[string]any{"ok": false, "summary": "the project " + l.project + " has no service"}, part(empty, "ok", "summary")); diff != "" {
		t.Error(diff)
	}
	l.up(t)
	until(t, "it gets healthy", func() bool { return done(t, h.Probe("project", nil))["ok"] == true })
	named := done(t, h.Probe("project", map[string]any{"services": []string{"api", "gateway"}}))
	if diff := cmp.Diff(map[string]any{"ok": false, "missing": []any{"gateway"}}, part(named, "ok", "missing")); diff != "" {
		t.Error(diff)
	}
	failed(t, h.Act("compose_up", quick(nil)), schema.FailedClean, "invalid_argument")
}

func TestProjectFilesThatCannotBeRead(t *testing.T) {
	l := newLab(t, services)
	for code, breakIt := range map[string]func(dir string) error{
		"compose_file_missing": func(string) error { return nil },
		"compose_file_invalid": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte("services: [x"), 0o600)
		},
		"project_dir_missing": os.Remove,
	} {
		dir := t.TempDir()
		if err := breakIt(dir); err != nil {
			t.Fatal(err)
		}
		args := map[string]any{"project_dir": dir}
		if f := failed(t, l.Probe("project", args), schema.FailedClean, code); f.Remedy == "" {
			t.Errorf("%s has no remedy", code)
		}
		failed(t, l.Act("compose_up", args), schema.FailedClean, code)
	}
}
