package http_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	rbhttp "github.com/runbook-engine/runbook/providers/http"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(rbhttp.Provider)
	os.Exit(m.Run())
}

// shop is a server with jobs that POST adds to, PUT replaces and DELETE removes.
type shop struct {
	mu      sync.Mutex
	jobs    []string
	seen    map[string]bool // idempotency keys
	working int
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); password != "shop-secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch key := r.Header.Get("Idempotency-Key"); {
	case r.URL.Path == "/slow":
		s.working++
		s.mu.Unlock()
		<-r.Context().Done()
		s.mu.Lock()
		s.working--
	case r.URL.Path != "/jobs":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == "POST" && key != "" && s.seen[key]:
	case r.Method == "POST":
		s.seen[key] = key != ""
		s.jobs = append(s.jobs, string(body))
	case r.Method == "PUT":
		s.jobs = []string{string(body)}
	case r.Method == "DELETE":
		s.jobs = nil
	}
}

func TestProof(t *testing.T) {
	shop := &shop{seen: map[string]bool{}}
	plain := httptest.NewServer(http.HandlerFunc(shop.serve))
	t.Cleanup(plain.Close)
	sockets := server(t, map[string]http.HandlerFunc{"/stream": socket(listen)})
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(encrypted.Close)

	with := func(path string, more map[string]any) map[string]any {
		args := map[string]any{"url": plain.URL + path, "username": "ann", "password": "shop-secret"}
		maps.Copy(args, more)
		return args
	}
	setup := func(testing.TB) {
		shop.mu.Lock()
		defer shop.mu.Unlock()
		shop.jobs = []string{"first"}
	}
	slow := &sdktest.Slow{Args: with("/slow", map[string]any{"method": "POST"}), Working: func(testing.TB) bool {
		shop.mu.Lock()
		defer shop.mu.Unlock()
		return shop.working > 0
	}}
	// to leads an operation to another server, and keeps its path.
	to := func(port int) func(string, map[string]any) map[string]any {
		host := fmt.Sprintf("127.0.0.1:%d", port)
		return func(_ string, args map[string]any) map[string]any {
			args = maps.Clone(args)
			if args["address"] != nil {
				args["address"] = host
				return args
			}
			scheme, rest, _ := strings.Cut(args["url"].(string), "://")
			_, path, _ := strings.Cut(rest, "/")
			args["url"] = scheme + "://" + host + "/" + path
			return args
		}
	}
	missing := []sdktest.Refused{{Args: with("/nowhere", nil), Code: "not_found"}, {Args: map[string]any{"url": "nowhere"}, Code: "invalid_argument"}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: rbhttp.Provider,
		Secrets:  []string{"shop-secret", "wrong-secret"},
		World: func(testing.TB) any {
			shop.mu.Lock()
			defer shop.mu.Unlock()
			return append([]string{}, shop.jobs...)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Args: to(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Args: to(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond, Uncertain: true, Spares: []string{"tcp"}},
			{Name: "wrong password", Code: "authentication_failed", Spares: []string{"tcp", "tls", "websocket"}, Args: func(_ string, args map[string]any) map[string]any {
				args = maps.Clone(args)
				args["password"] = "wrong-secret"
				return args
			}},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "get", Args: with("/jobs", nil), Answers: true, Refused: []sdktest.Refused{{Args: map[string]any{"url": "nowhere"}, Code: "invalid_argument"}}},
			{Name: "websocket", Args: map[string]any{"url": "ws://" + sockets.Host + "/stream"}, Answers: true},
			{Name: "tcp", Args: map[string]any{"address": sockets.Host}, Answers: true},
			{Name: "tls", Args: map[string]any{"address": encrypted.Listener.Addr().String()}, Answers: true},
		},
		Actions: []sdktest.ActionProof{
			{Name: "request", Setup: setup, Args: with("/jobs", map[string]any{"body": "more"}), Class: schema.Manual, Slow: slow, Refused: missing},
			{Name: "request", Setup: setup, Args: with("/jobs", map[string]any{"json": cty.StringVal("more"), "keyed": true}), Class: schema.Keyed},
			{Name: "request", Setup: setup, Args: with("/jobs", map[string]any{"method": "PUT", "body": "only", "idempotent": true}), Class: schema.Idempotent},
			{Name: "request", Setup: setup, Args: with("/jobs", map[string]any{"method": "DELETE", "idempotent": true}), Class: schema.Idempotent, Destroys: true},
			{Name: "request", Setup: setup, Args: with("/jobs", map[string]any{"method": "GET"}), Class: schema.Idempotent, Unseen: true},
		},
	})
}
