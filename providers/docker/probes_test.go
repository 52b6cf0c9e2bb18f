package docker_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/schema"
)

// plain starts a container of the stand-in outside of any project.
func (l *lab) plain(t testing.TB, create client.ContainerCreateOptions, command ...string) string {
	t.Helper()
	create.Config.Image, create.Config.Cmd = l.image, command
	create.HostConfig.NetworkMode = "none"
	create.Name = engine.Name()
	made, err := l.client.ContainerCreate(context.Background(), create)
	if err == nil {
		_, err = l.client.ContainerStart(context.Background(), made.ID, client.ContainerStartOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.client.ContainerRemove(context.Background(), made.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	})
	return create.Name
}

// Logs are counted, and what is in them is nobody's health.
func TestLogsHaveNoJudgement(t *testing.T) {
	l := newLab(t, services)
	name := l.plain(t, create(), "say", "ERROR", "everything", "is", "lost")
	until(t, "it has ended", func() bool { return l.container(t, name).State == "exited" })
	for _, c := range []struct {
		args map[string]any
		want map[string]any
	}{
		{
			map[string]any{"pattern": "ERROR"},
			map[string]any{"ok": true, "lines": 2, "matches": 2, "summary": name + " said 2 lines, of which 2 match"},
		},
		{
			map[string]any{"pattern": "^aside", "keep": 1},
			map[string]any{"ok": true, "lines": 2, "matches": 1, "last": []any{"aside: ERROR everything is lost"}},
		},
		{
			map[string]any{"pattern": "panic"},
			map[string]any{"ok": true, "lines": 2, "matches": 0, "last": []any{}, "last_match": nil},
		},
		{
			map[string]any{"tail": 1, "keep": 0},
			map[string]any{"ok": true, "lines": 1, "matches": 0, "last": []any{}},
		},
	} {
		c.args["container"] = name
		got := done(t, l.Probe("logs", c.args))
		fields := make([]string, 0, len(c.want))
		for field := range c.want {
			fields = append(fields, field)
		}
		if diff := cmp.Diff(c.want, part(got, fields...)); diff != "" {
			t.Errorf("%v: %s", c.args, diff)
		}
	}

	// One that says nothing may be as dead as can be, and the logs are still ok.
	silent := l.plain(t, create(), "break")
	if got := done(t, l.Probe("logs", map[string]any{"container": silent, "pattern": "ERROR"})); got["ok"] != true || got["lines"] != 0 {
		t.Errorf("silence is judged: %v", got)
	}
}

// create is a container with nothing special.
func create() client.ContainerCreateOptions {
	return client.ContainerCreateOptions{Config: &container.Config{}, HostConfig: &container.HostConfig{}}
}

// A restart brings neither a changed compose file nor a new image in; only
// config_drift tells, and compose_up does.
func TestRestartDoesNotPickUpChanges(t *testing.T) {
	l := newLab(t, services)
	done(t, l.Act("compose_up", quick(nil)))
	if drift := done(t, l.Probe("config_drift", nil)); drift["ok"] != true || drift["services"] != 3 {
		t.Fatalf("what has just been brought up differs: %v", drift)
	}
	l.write(t, strings.ReplaceAll(services, "NAME: api", "NAME: other"))
	engine.Image(t, l.image, "2")
	done(t, l.Act("restart", quick(map[string]any{"service": "api"})))
	if seen := done(t, l.Probe("container", map[string]any{"container": l.name("api")})); seen["last_check"] != "api 1 is well" {
		t.Errorf("a restart picks up what has changed: the hazard is gone: %v", seen["last_check"])
	}
	drift := done(t, l.Probe("config_drift", nil))
	var kinds []string
	for _, d := range drift["differences"].([]any) {
		kinds = append(kinds, d.(map[string]any)["service"].(string)+" "+d.(map[string]any)["kind"].(string))
	}
	if diff := cmp.Diff([]string{"api config", "init image", "worker image"}, kinds); diff != "" || drift["ok"] != false {
		t.Error(drift["ok"], diff)
	}

	done(t, l.Act("compose_up", quick(nil)))
	if drift := done(t, l.Probe("config_drift", nil)); drift["ok"] != true {
		t.Errorf("after compose_up it still differs: %v", drift)
	}
	if seen := done(t, l.Probe("container", map[string]any{"container": l.name("api")})); seen["last_check"] != "other 2 is well" {
		t.Errorf("compose_up did not bring the change in: %v", seen["last_check"])
	}
}

func TestConfigDriftOfNumbers(t *testing.T) {
	l := newLab(t, services+"    scale: 2\n")
	drift := func() any {
		var all []string
		for _, d := range done(t, l.Probe("config_drift", nil))["differences"].([]any) {
			all = append(all, d.(map[string]any)["service"].(string)+" "+d.(map[string]any)["kind"].(string))
		}
		return all
	}
	if diff := cmp.Diff([]string{"api missing", "init missing", "worker missing", "worker missing"}, drift()); diff != "" {
		t.Error(diff)
	}
	l.up(t)
	l.write(t, strings.Replace(services, "  api:", "  gate:", 1))
	if diff := cmp.Diff([]string{"gate missing", "worker extra", "api orphan"}, drift()); diff != "" {
		t.Error(diff)
	}
}

func TestImage(t *testing.T) {
	l := newLab(t, services)
	name := l.plain(t, create(), "wait")
	image := func(args map[string]any) map[string]any {
		args["image"] = l.image
		return done(t, l.Probe("image", args))
	}
	seen := image(map[string]any{"labels": map[string]string{"version": "1"}, "max_age": "1h"})
	if diff := cmp.Diff(map[string]any{
		"ok": true, "exists": true, "id": l.container(t, name).Image, "tags": []any{l.image}, "os": "linux", "labels": map[string]any{"version": "1"}, "used_by": []any{name},
	}, part(seen, "ok", "exists", "id", "tags", "os", "labels", "used_by")); diff != "" {
		t.Error(diff)
	}
	for _, no := range []map[string]any{
		{"labels": map[string]string{"version": "2"}},
		{"id": "sha256:" + strings.Repeat("0", 64)},
		{"max_age": "1ns"},
	} {
		if seen := image(no); seen["ok"] != false || seen["exists"] != true {
			t.Errorf("%v: %v", no, seen["summary"])
		}
	}
	none := done(t, l.Probe("image", map[string]any{"image": "no-such-image:v1"}))
	if diff := cmp.Diff(map[string]any{"ok": false, "exists": false, "summary": "there is no image no-such-image:v1 on this engine"}, part(none, "ok", "exists", "summary")); diff != "" {
		t.Error(diff)
	}
	failed(t, l.Probe("image", map[string]any{"image": "Not A Reference"}), schema.FailedClean, "invalid_request")
}

func TestDiskUsage(t *testing.T) {
	l := newLab(t, services)
	l.plain(t, create(), "wait")
	seen := done(t, l.Probe("disk_usage", nil))
	images := seen["images"].(map[string]any)
	if images["count"].(int) < 1 || images["active"].(int) < 1 || images["bytes"].(int) < 1<<20 || seen["bytes"].(int) < images["bytes"].(int) || seen["ok"] != true {
		t.Errorf("it holds %v", seen)
	}
	if over := done(t, l.Probe("disk_usage", map[string]any{"max_bytes": 1})); over["ok"] != false {
		t.Errorf("more than one byte is ok: %v", over)
	}
}
