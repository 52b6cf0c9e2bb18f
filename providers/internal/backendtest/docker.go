package backendtest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/moby/moby/client"
)

// Docker is a running engine with nothing in it but images of a stand-in. It is
// safe for concurrent use.
type Docker struct {
	Socket string // path of the engine's socket
	Config string // folder of the command line, with docker compose as its plugin

	dir     string
	standin []byte // the program that images hold, as a tar archive
	process *server
	names   atomic.Int64
}

// WithDocker starts an engine and stores it in *to.
func WithDocker(to **Docker) Backend {
	return func() (func(), error) {
		d, err := StartDocker()
		if err != nil {
			return nil, err
		}
		*to = d
		return d.Stop, nil
	}
}

// StartDocker starts an engine of its own socket and folders, which leaves the
// machine's addresses and packet filter alone. It needs root. The caller stops it;
// should it not, the engine and its containers end with the process.
func StartDocker() (*Docker, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("these tests start a Docker engine, which needs root")
	}
	dockerd, err := binary("dockerd", "apt-get install -y docker.io", "/usr/sbin")
	if err != nil {
		return nil, err
	}
	compose, err := script("build docker compose", "compose")
	if err != nil {
		return nil, err
	}
	dir, err := folder(nil)
	if err != nil {
		return nil, err
	}
	d := &Docker{Socket: filepath.Join(dir, "docker.sock"), Config: compose, dir: dir}
	if d.standin, err = buildStandin(dir); err == nil {
		err = d.start(dockerd)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return d, nil
}

// start gives the engine a mount namespace of its own: what it mounts is gone
// with it.
func (d *Docker) start(dockerd string) error {
	at := func(name string) string { return filepath.Join(d.dir, name) }
	command := exec.Command("unshare", "--mount", dockerd,
		"--host", "unix://"+d.Socket, "--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid"),
		"--bridge=none", "--iptables=false", "--ip6tables=false")
	command.Dir = d.dir
	command.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	process, err := serve(command, nil, syscall.SIGTERM, "API listen on")
	d.process = process
	return err
}

// Stop ends all containers, removes the networks, ends the engine and removes
// what it wrote.
func (d *Docker) Stop() {
	if err := d.clear(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "backendtest: clear the Docker engine: %v\n", err)
	}
	d.process.stop(syscall.SIGTERM)
	os.RemoveAll(d.dir)
}

// clear removes what would outlive the engine: bridges of networks do.
func (d *Docker) clear(ctx context.Context) error {
	api, err := client.New(client.WithHost(d.Host()))
	if err != nil {
		return err
	}
	defer api.Close()
	containers, err := api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return err
	}
	for _, c := range containers.Items {
		if _, err := api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			return err
		}
	}
	_, err = api.NetworkPrune(ctx, client.NetworkPruneOptions{})
	return err
}

// Host is the engine as $DOCKER_HOST names it.
func (d *Docker) Host() string { return "unix://" + d.Socket }

// Client is a client of the engine, closed with the test.
func (d *Docker) Client(t testing.TB) *client.Client {
	t.Helper()
	api, err := client.New(client.WithHost(d.Host()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	return api
}

// Name is one that no other test uses, for containers, volumes and projects.
func (d *Docker) Name() string { return fmt.Sprintf("test%d", d.names.Add(1)) }

// Image makes an image of the stand-in in some version, and returns its ID. Two
// images of one version differ.
func (d *Docker) Image(t testing.TB, reference, version string) string {
	t.Helper()
	id, err := d.MakeImage(context.Background(), reference, version)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// MakeImage is Image outside of a test.
func (d *Docker) MakeImage(ctx context.Context, reference, version string) (id string, err error) {
	api, err := client.New(client.WithHost(d.Host()))
	if err != nil {
		return "", err
	}
	defer api.Close()
	imported, err := api.ImageImport(ctx, client.ImageImportSource{Source: bytes.NewReader(d.standin), SourceName: "-"}, reference,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/standin"]`, "ENV VERSION=" + version, "LABEL version=" + version}})
	if err == nil {
		_, err = io.Copy(io.Discard, imported)
		err = errors.Join(err, imported.Close())
	}
	if err != nil {
		return "", fmt.Errorf("make the image %s: %w", reference, err)
	}
	inspected, err := api.ImageInspect(ctx, reference)
	return inspected.ID, err
}

// Compose runs docker compose in a folder and returns what it printed.
func (d *Docker) Compose(t testing.TB, dir string, args ...string) (output string, err error) {
	t.Helper()
	command := exec.Command("docker", append([]string{"compose", "--ansi", "never"}, args...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "DOCKER_HOST="+d.Host(), "DOCKER_CONFIG="+d.Config)
	said, err := command.CombinedOutput()
	return string(said), err
}

// buildStandin is the stand-in in an archive.
func buildStandin(dir string) ([]byte, error) {
	path := filepath.Join(dir, "standin")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/runbook-engine/runbook/providers/internal/standin")
	build.Dir = repository()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the stand-in: %w\n%s", err, said)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "standin", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	_, err = w.Write(program)
	return archive.Bytes(), errors.Join(err, w.Close())
}

// repository is the module's folder.
func repository() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..")
}

// script runs one of scripts/ and returns what it prints: where the thing is.
func script(what, name string, args ...string) (string, error) {
	command := exec.Command("bash", append([]string{filepath.Join(repository(), "scripts", name)}, args...)...)
	var said bytes.Buffer
	command.Stderr = &said
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", what, err, said.Bytes())
	}
	return strings.TrimSpace(string(printed)), nil
}
