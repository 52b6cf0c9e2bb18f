package docker_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// world is what the engine holds of a lab, without what changes by itself.
func (l *lab) world(t testing.TB, images ...string) any {
	t.Helper()
	var containers []string
	for _, c := range l.containers(t) {
		containers = append(containers, strings.Join([]string{c.Name, c.State, c.Health, c.Image}, " "))
	}
	return map[string]any{
		"containers": containers, "volumes": l.volumes(t), "networks": l.networks(t), "images": l.images(t, images...), "litter": l.littered(t),
	}
}

// volumes are those whose name begins with the project's.
func (l *lab) volumes(t testing.TB) []string {
	t.Helper()
	listed, err := l.client.VolumeList(context.Background(), client.VolumeListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range listed.Items {
		if strings.HasPrefix(v.Name, l.project) || v.Labels["rubbish"] == l.project {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (l *lab) has(t testing.TB, volume string) bool { return slices.Contains(l.volumes(t), volume) }

func (l *lab) networks(t testing.TB) []string {
	t.Helper()
	listed, err := l.client.NetworkList(context.Background(), client.NetworkListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range listed.Items {
		if strings.HasPrefix(n.Name, l.project) {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names
}

// images are the references that begin with the project's name, and these.
func (l *lab) images(t testing.TB, more ...string) []string {
	t.Helper()
	listed, err := l.client.ImageList(context.Background(), client.ImageListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range listed.Items {
		for _, tag := range i.RepoTags {
			if strings.HasPrefix(tag, l.project) || slices.Contains(more, tag) {
				names = append(names, tag)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (l *lab) volume(t testing.TB, name string) {
	t.Helper()
	if _, err := l.client.VolumeCreate(context.Background(), client.VolumeCreateOptions{Name: name}); err != nil {
		t.Fatal(err)
	}
}

// untag takes a reference away, where it is there.
func (l *lab) untag(t testing.TB, image string) {
	t.Helper()
	if _, err := l.client.ImageRemove(context.Background(), image, client.ImageRemoveOptions{}); err != nil && !cerrdefs.IsNotFound(err) {
		t.Fatal(err)
	}
}

// folder is one with this compose file.
func (l *lab) folder(t testing.TB, compose string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(compose), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// littered are the containers that litter has left.
func (l *lab) littered(t testing.TB) int {
	t.Helper()
	listed, err := l.client.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", "rubbish="+l.project)})
	if err != nil {
		t.Fatal(err)
	}
	return len(listed.Items)
}

// litter leaves one of each kind that nothing uses, where it is not there yet.
func (l *lab) litter(t testing.TB, labels map[string]string) {
	t.Helper()
	ctx := context.Background()
	anonymous := strings.Repeat("a", 64-len(l.project)) + strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return 'f'
	}, l.project)
	if _, err := l.client.VolumeCreate(ctx, client.VolumeCreateOptions{Name: anonymous, Labels: labels}); err != nil {
		t.Fatal(err)
	}
	if l.littered(t) == 0 {
		options := create()
		options.Config.Labels, options.Config.Image, options.Config.Cmd = labels, l.image, []string{"once"}
		options.HostConfig.NetworkMode = "none"
		made, err := l.client.ContainerCreate(ctx, options)
		if err == nil {
			_, err = l.client.ContainerStart(ctx, made.ID, client.ContainerStartOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
		until(t, "it has ended", func() bool { return l.container(t, made.ID).State == "exited" })
	}
	if len(l.networks(t)) == 0 {
		if _, err := l.client.NetworkCreate(ctx, l.project+"-network", client.NetworkCreateOptions{Driver: "bridge", Labels: labels}); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Contains(l.images(t), l.project+"-rubbish:v1") {
		return
	}
	imported, err := l.client.ImageImport(ctx, client.ImageImportSource{Source: bytes.NewReader(make([]byte, 1024)), SourceName: "-"}, l.project+"-rubbish:v1",
		client.ImageImportOptions{Changes: []string{"LABEL rubbish=" + labels["rubbish"]}})
	if err == nil {
		_, err = io.Copy(io.Discard, imported)
	}
	if err != nil {
		t.Fatal(err)
	}
}
