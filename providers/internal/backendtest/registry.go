package backendtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// FakeRegistry is a registry of container images that can only be pulled from: it
// speaks as much of the protocol as that takes, and holds images of the stand-in.
// An engine takes one on a loopback address without TLS.
type FakeRegistry struct {
	Address string // host and port, as references begin with

	layer []byte
	mu    sync.Mutex
	tags  map[string][]byte // manifests, by repository and tag
	blobs map[string][]byte // by digest
}

// FakeRegistry starts a registry that ends with the test.
func (d *Docker) FakeRegistry(t testing.TB) *FakeRegistry {
	t.Helper()
	r := &FakeRegistry{layer: d.standin, tags: map[string][]byte{}, blobs: map[string][]byte{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.Address = strings.TrimPrefix(server.URL, "http://")
	return r
}

// Publish has a repository's tag stand for the stand-in in some version, and
// returns the reference to pull it by.
func (r *FakeRegistry) Publish(t testing.TB, repository, tag, version string) string {
	t.Helper()
	type object = map[string]any
	encode := func(o object) []byte {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	config := encode(object{
		"architecture": "amd64", "os": "linux", "created": "2026-01-02T03:04:05Z",
		"config": object{"Entrypoint": []string{"/standin"}, "Env": []string{"VERSION=" + version}, "Labels": object{"version": version}},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(r.layer)}},
	})
	manifest := encode(object{
		"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
		"config": object{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest(config)},
		"layers": []object{{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(r.layer), "digest": digest(r.layer)}},
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, blob := range [][]byte{config, manifest, r.layer} {
		r.blobs[digest(blob)] = blob
	}
	r.tags[repository+":"+tag] = manifest
	return r.Address + "/" + repository + ":" + tag
}

func digest(blob []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(blob)) }

// ServeHTTP implements http.Handler.
func (r *FakeRegistry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	path, rest, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v2/"), "/")
	kind, name, _ := strings.Cut(rest, "/")
	r.mu.Lock()
	defer r.mu.Unlock()
	body := r.blobs[name]
	if kind == "manifests" {
		if manifest, tagged := r.tags[path+":"+name]; tagged {
			body = manifest
		}
		w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v2+json")
	}
	switch {
	case path == "":
	case body == nil:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)
	default:
		w.Header().Set("Docker-Content-Digest", digest(body))
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}
}
