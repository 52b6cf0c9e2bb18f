package docker_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// An engine that says it restarted and did not: only started_at tells.
func TestRestartSeesStartedAtMove(t *testing.T) {
	l := newLab(t, services)
	done(t, l.Act("compose_up", quick(nil)))
	before := l.container(t, l.name("api"))
	result := done(t, l.Act("restart", quick(map[string]any{"container": l.name("api")})))
	after := l.container(t, l.name("api"))
	if diff := cmp.Diff([]any{map[string]any{
		"container": l.name("api"), "state": "running", "health": "healthy", "started_before": before.started, "started_at": after.started,
	}}, result["restarted"]); diff != "" {
		t.Error(diff)
	}
	if before.id != after.id || before.started == after.started {
		t.Errorf("it is not the same container, started anew: %v, %v", before, after)
	}

	lying := config(l.project, l.dir)
	lying["host"] = lyingEngine(t, "/restart")
	liar := sdktest.New(t, docker.Provider(), lying)
	failed(t, liar.Act("restart", quick(map[string]any{"container": l.name("api")})), schema.FailedPartial, "not_restarted")
	if now := l.container(t, l.name("api")); now.started != after.started {
		t.Error("the lie restarted it")
	}
}

// lyingEngine is the test's engine behind a fake that says yes to what it does
// not hand on.
func lyingEngine(t testing.TB, about string) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", engine.Socket)
	}}
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, about) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return "unix://" + socket
}

func TestRestartOfWhatStaysSick(t *testing.T) {
	l := newLab(t, strings.ReplaceAll(services, "NAME: api", "NAME: api, HEALTH: never"))
	l.up(t)
	f := failed(t, l.Act("restart", quick(map[string]any{"service": "api"})), schema.FailedPartial, "unhealthy")
	if !strings.Contains(f.Message, "api 1 is not well") {
		t.Errorf("it does not say what its health check said: %s", f.Message)
	}
}

func TestRestartOfAServiceIsOneAfterTheOther(t *testing.T) {
	l := newLab(t, services+"    scale: 3\n")
	done(t, l.Act("compose_up", quick(nil)))
	worker := quick(map[string]any{"service": "worker"})
	if impact := l.Preview("restart", worker).Impact; !cmp.Equal(impact, schema.Impact{"containers": 3}) {
		t.Errorf("it foretells %v", impact)
	}
	before := l.containers(t)
	failed(t, l.Act("restart", worker, sdktest.Limit("containers", 2)), schema.FailedClean, "limit_exceeded")
	if diff := cmp.Diff(before, l.containers(t), cmp.AllowUnexported(seen{})); diff != "" {
		t.Error(diff)
	}
	if result := done(t, l.Act("restart", worker)); result["containers"] != 3 {
		t.Errorf("it restarted %v", result)
	}
	for i, c := range l.containers(t) {
		if moved := c.started != before[i].started; moved != strings.Contains(c.Name, "worker") {
			t.Errorf("%s was restarted: %t", c.Name, moved)
		}
	}
}

// compose up exits 0 as soon as containers are started.
func TestUpIsNotFooledByExitCodeZero(t *testing.T) {
	l := newLab(t, strings.ReplaceAll(services, "NAME: api", "NAME: api, HEALTH: never"))
	if said, err := engine.Compose(t, l.dir, "--project-name", l.project, "up", "--detach"); err != nil {
		t.Fatalf("compose itself sees it: %v\n%s", err, said)
	}
	failed(t, l.Act("compose_up", quick(nil)), schema.FailedPartial, "unhealthy")
}

// compose's own --wait takes a one-shot that did its work for a failure.
func TestUpWaitsForOneShots(t *testing.T) {
	l := newLab(t, services+"  seed:\n    image: IMAGE\n    command: [once]\n    network_mode: none\n")
	if said, err := engine.Compose(t, l.dir, "--project-name", l.project, "up", "--detach", "--wait"); err == nil {
		t.Fatalf("compose's --wait takes one-shots by now: the hazard is gone\n%s", said)
	}
	failed(t, l.Act("compose_up", quick(nil)), schema.FailedPartial, "exited")
	result := done(t, l.Act("compose_up", quick(map[string]any{"one_shots": []string{"seed"}})))
	seed := result["services"].(map[string]any)["seed"]
	if diff := cmp.Diff(map[string]any{"ok": true, "one_shot": true, "summary": "seed did its work and exited 0"}, part(seed, "ok", "one_shot", "summary")); diff != "" {
		t.Error(diff)
	}
}

func TestUpOfAOneShotThatFails(t *testing.T) {
	failing := strings.Replace(services, "command: [once]", `command: [once, "3"]`, 1)
	l := newLab(t, failing)
	// compose waits for it, since another service does.
	failed(t, l.Act("compose_up", quick(nil)), schema.FailedPartial, "dependency_failed")
	// Nobody waits for it here.
	f := failed(t, l.Act("compose_up", quick(map[string]any{"services": []string{"init"}})), schema.FailedPartial, "exited")
	if !strings.Contains(f.Message, "exit code 3") {
		t.Errorf("it does not say how it ended: %s", f.Message)
	}
}

func TestUpOfACrashLoop(t *testing.T) {
	l := newLab(t, "services:\n  loop:\n    image: IMAGE\n    command: [once, \"1\"]\n    network_mode: none\n    restart: always\n")
	failed(t, l.Act("compose_up", map[string]any{"stable_for": "1h"}), schema.FailedPartial, "crash_loop")
}

func TestUpOfWhatNeverStarts(t *testing.T) {
	l := newLab(t, strings.ReplaceAll(services, "interval: 200ms", "interval: 1h"))
	f := failed(t, l.Act("compose_up", quick(map[string]any{"healthy_within": "300ms"})), schema.FailedPartial, "not_healthy_in_time")
	if !strings.Contains(f.Message, "api-1 is starting") {
		t.Errorf("it does not say what it waited for: %s", f.Message)
	}
}

// What was there before is in the result, and leads back.
func TestUpToANewImageAndBack(t *testing.T) {
	l := newLab(t, services)
	done(t, l.Act("compose_up", quick(nil)))
	before := l.container(t, l.name("api"))
	engine.Image(t, l.image, "2")
	api := quick(map[string]any{"services": []string{"api"}, "no_deps": true})
	foretold := l.Preview("compose_up", api)
	if diff := cmp.Diff([]string{"recreate " + l.name("api") + ": its image has changed"}, foretold.Sample); diff != "" {
		t.Error(diff)
	}
	result := done(t, l.Act("compose_up", api))
	if diff := cmp.Diff(map[string]any{
		"containers": 1, "changed": []any{"api"},
		"previous": map[string]any{"api": map[string]any{"image": l.image, "image_id": before.Image}},
	}, part(result, "containers", "changed", "previous")); diff != "" {
		t.Error(diff)
	}
	if now := l.container(t, l.name("api")); now.Image == before.Image {
		t.Error("the old image still runs")
	}
}

func TestUpOfOrphans(t *testing.T) {
	l := newLab(t, services)
	done(t, l.Act("compose_up", quick(nil)))
	kept := services[:strings.Index(services, "  worker:")]
	l.write(t, kept)
	if kept := l.Describe("compose_up", quick(nil)); kept.Destructive {
		t.Error("keeping orphans is called destructive")
	}
	remove := quick(map[string]any{"remove_orphans": true})
	foretold := l.Preview("compose_up", remove)
	if diff := cmp.Diff([]string{"start " + l.name("init") + ": it is exited", "remove " + l.name("worker") + ": its service is not in the compose file"}, foretold.Sample); diff != "" || !foretold.Destructive {
		t.Error(foretold.Destructive, diff)
	}
	if result := done(t, l.Act("compose_up", remove)); result["containers"] != 2 {
		t.Errorf("it changed %v, of %v", result["containers"], result["changed"])
	}
	if names := l.containers(t); len(names) != 2 {
		t.Errorf("there are %v", names)
	}
}
