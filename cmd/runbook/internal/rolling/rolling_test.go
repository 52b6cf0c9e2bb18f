// Package rolling tries the rolling deployment of the examples through the real
// program, on a real Docker engine, while a client asks the services all the time.
package rolling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const project = "rolling"

// services are in the order of the roll.
func services() []string { return []string{"trading", "analytics", "pipeline", "compliance"} }

// room is a compose project of four services, the runbook, and what runs both.
type room struct {
	*testing.T
	program, dir string
	host, config string
	ports        map[string]int
}

func newRoom(t *testing.T) *room {
	t.Helper()
	tools := t.TempDir()
	r := &room{T: t, program: filepath.Join(tools, "runbook"), dir: t.TempDir(), ports: map[string]int{}}
	backends := filepath.Join(tools, "backends")
	for output, source := range map[string]string{r.program: "../..", backends: "../../../../providers/internal/backendtest/serve"} {
		if out, err := exec.Command("go", "build", "-o", output, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	r.serve(backends)
	runbook, err := os.ReadFile("../../../../examples/35-rolling-deploy/deploy.hcl")
	if err != nil {
		t.Fatal(err)
	}
	r.write("deploy.hcl", string(runbook))
	for _, name := range services() {
		r.ports[name] = freePort(t)
	}
	r.compose("up", "--detach", "--wait")
	return r
}

// serve starts the engine, which ends with the test.
func (r *room) serve(backends string) {
	r.Helper()
	serve := exec.Command(backends, "docker", "app:old=1", "app:current=1", "app:new=2")
	until, err := serve.StdinPipe()
	if err != nil {
		r.Fatal(err)
	}
	output, err := serve.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	var said bytes.Buffer
	serve.Stderr = &said
	if err := serve.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		until.Close()
		if err := serve.Wait(); err != nil {
			r.Errorf("%v\n%s", err, said.Bytes())
		}
	})
	var at struct {
		Docker struct {
			Host         string `json:"host"`
			ConfigFolder string `json:"config_folder"`
		} `json:"docker"`
	}
	if err := json.NewDecoder(output).Decode(&at); err != nil {
		r.Fatalf("%v\n%s", err, said.Bytes())
	}
	r.host, r.config = at.Docker.Host, at.Docker.ConfigFolder
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func (r *room) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *room) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// file is a compose file; the sick service never gets healthy.
func (r *room) file(note, sick string) string {
	var text strings.Builder
	text.WriteString("services:\n")
	for _, name := range services() {
		health := ""
		if name == sick {
			health = "never"
		}
		fmt.Fprintf(&text, `  %s:
    image: app:current
    network_mode: host
    environment: {NAME: %s, NOTE: "%s", ADDRESS: "127.0.0.1:%d", HEALTH: "%s"}
    healthcheck: {test: [CMD, /standin, check], interval: 200ms, retries: 3}
`, name, name, note, r.ports[name], health)
	}
	return text.String()
}

func (r *room) compose(args ...string) string {
	r.Helper()
	if _, err := os.Stat(filepath.Join(r.dir, "compose.yaml")); err != nil {
		r.write("compose.yaml", r.file("old", ""))
	}
	return r.run(0, "docker", append([]string{"compose", "--project-name", project}, args...)...)
}

// run runs a program that must exit with this code.
func (r *room) run(code int, program string, args ...string) string {
	r.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = r.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "LANG=C.UTF-8", "DOCKER_HOST=" + r.host, "DOCKER_CONFIG=" + r.config}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		r.Fatalf("%s %s: %v, not exit code %d\n%s", filepath.Base(program), strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

func (r *room) deploy(code int) string {
	r.Helper()
	list, err := json.Marshal(services())
	if err != nil {
		r.Fatal(err)
	}
	return r.run(code, r.program, "apply", "deploy.hcl", "--auto-approve",
		"--var", "host="+r.host, "--var", "config_folder="+r.config, "--var", "project="+project,
		"--var", "image=app", "--var", "release=new", "--var", "services="+string(list))
}

// running is the container and the image of each service.
func (r *room) running() (containers, images map[string]string) {
	r.Helper()
	containers, images = map[string]string{}, map[string]string{}
	for _, name := range services() {
		words := strings.Fields(r.run(0, "docker", "inspect", "--format", "{{.Id}} {{.Image}}", project+"-"+name+"-1"))
		containers[name], images[name] = words[0], words[1]
	}
	return containers, images
}

func (r *room) current() string {
	r.Helper()
	return strings.TrimSpace(r.run(0, "docker", "image", "inspect", "--format", "{{.Id}}", "app:current"))
}

// hammer asks all services while the test goes on.
func (r *room) hammer() (*hammer, func()) {
	urls := map[string]string{}
	for name, port := range r.ports {
		urls[name] = fmt.Sprintf("http://127.0.0.1:%d/health", port)
	}
	return start(r.T, urls)
}

// order is the begin of steps and of what takes them back, as it was told.
func order(said string) []string {
	var all []string
	for _, line := range regexp.MustCompile(`(?m)^\S+ (step\.\S+) +▸ (is taken back|Put|Make|Bring)`).FindAllStringSubmatch(said, -1) {
		name := strings.NewReplacer("step.", "", "roll[", "", "]", "", `"`, "").Replace(line[1])
		if line[2] == "is taken back" {
			name = "back " + name
		}
		all = append(all, name)
	}
	return all
}

func TestRoll(t *testing.T) {
	r := newRoom(t)
	t.Run("is taken back", func(t *testing.T) { r.in(t).isTakenBack() })
	t.Run("goes through", func(t *testing.T) { r.in(t).goesThrough() })
}

// in is the room in a subtest.
func (r *room) in(t *testing.T) *room {
	inner := *r
	inner.T = t
	return &inner
}

// The third service never gets healthy: the roll stops there, the old compose file
// and image are back before any service is brought up on them again, and never
// is more than one service lost.
func (r *room) isTakenBack() {
	t := r.T
	old := r.read("compose.yaml")
	r.write("compose.new.yaml", r.file("new", "pipeline"))
	image := r.current()
	before, imagesBefore := r.running()
	h, stop := r.hammer()
	said := r.deploy(1)
	stop()

	if diff := cmp.Diff([]string{
		"compose_file", "image", "trading", "analytics", "pipeline",
		"back image", "back compose_file", "back pipeline", "back analytics", "back trading",
	}, order(said)); diff != "" {
		t.Errorf("%s\n%s", diff, said)
	}
	if r.current() != image || r.read("compose.yaml") != old {
		t.Error("the old image or compose file is not back")
	}
	after, images := r.running()
	if diff := cmp.Diff(imagesBefore, images); diff != "" {
		t.Errorf("not every service runs what it ran: %s", diff)
	}
	if before["compliance"] != after["compliance"] {
		t.Error("the fourth service was touched")
	}
	if a, b, found := together(h.outages()); found {
		t.Errorf("two services were lost at once: %v, %v", a, b)
	}
	failures := h.failures()
	if failures["pipeline"] == 0 || failures["compliance"] != 0 {
		t.Errorf("the client counts failures %v", failures)
	}
	t.Logf("failures %v, of %d, %d, %d and %d requests", failures,
		len(h.asked["trading"]), len(h.asked["analytics"]), len(h.asked["pipeline"]), len(h.asked["compliance"]))
}

func (r *room) goesThrough() {
	t := r.T
	r.write("compose.new.yaml", r.file("new", ""))
	h, stop := r.hammer()
	said := r.deploy(0)
	stop()
	if diff := cmp.Diff([]string{"compose_file", "image", "trading", "analytics", "pipeline", "compliance"}, order(said)); diff != "" {
		t.Errorf("%s\n%s", diff, said)
	}
	_, images := r.running()
	for name, image := range images {
		if image != r.current() {
			t.Errorf("%s does not run the new image", name)
		}
	}
	if a, b, found := together(h.outages()); found {
		t.Errorf("two services were lost at once: %v, %v", a, b)
	}
}
