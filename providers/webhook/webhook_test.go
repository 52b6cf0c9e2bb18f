package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
	"github.com/runbook-engine/runbook/providers/webhook"
)

func TestMain(m *testing.M) {
	sdktest.Serve(webhook.Provider)
	os.Exit(m.Run())
}

// sink is a receiver that keeps what arrives, and drops what it has under a key.
type sink struct {
	mu       sync.Mutex
	arrived  []string
	keys     map[string]bool
	answer   func(http.ResponseWriter, *http.Request) bool // instead, where it says so
	keepKeys bool
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	mac := hmac.New(sha256.New, []byte("sign-secret"))
	mac.Write(body)
	switch key := r.Header.Get("Idempotency-Key"); {
	case s.answer != nil && s.answer(w, r):
	case r.Header.Get("Authorization") != "Bearer token-secret":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Header.Get("X-Runbook-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)):
		w.WriteHeader(http.StatusForbidden)
	case s.keepKeys && s.keys[key]:
	default:
		s.keys[key] = true
		s.arrived = append(s.arrived, string(body))
	}
}

func newSink(t *testing.T) (*sink, map[string]any) {
	s := &sink{keys: map[string]bool{}, keepKeys: true}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, map[string]any{"url": server.URL + "/hooks/path-secret", "token": "token-secret", "secret": "sign-secret"}
}

func TestProof(t *testing.T) {
	s, config := newSink(t)
	setup := func(testing.TB) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.arrived = nil
	}
	to := func(port int) map[string]any {
		return map[string]any{"url": fmt.Sprintf("http://127.0.0.1:%d/hooks/path-secret", port)}
	}
	sdktest.Prove(t, sdktest.Proof{
		Provider: webhook.Provider,
		Config:   config,
		Secrets:  []string{"path-secret", "wrong-secret"},
		World: func(testing.TB) any {
			s.mu.Lock()
			defer s.mu.Unlock()
			return append([]string{}, s.arrived...)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: to(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: to(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond, Uncertain: true},
			{Name: "wrong token", Config: map[string]any{"token": "wrong-secret"}, Code: "authentication_failed"},
			{Name: "wrong key", Config: map[string]any{"secret": "wrong-secret"}, Code: "permission_denied"},
		},
		Actions: []sdktest.ActionProof{
			{Name: "post", Setup: setup, Args: map[string]any{"text": "fresh"}, Class: schema.Manual, Refused: []sdktest.Refused{
				{Args: map[string]any{}, Code: "invalid_argument"},
				{Args: map[string]any{"text": "x", "json": cty.StringVal("x")}, Code: "invalid_argument"},
			}},
			{Name: "post", Setup: setup, Args: map[string]any{"json": cty.ObjectVal(map[string]cty.Value{"kind": cty.StringVal("fresh")}), "keyed": true}, Class: schema.Keyed},
		},
	})
}

// What a receiver answers is typed, and how long it wants to be left alone comes
// with it.
func TestAnswers(t *testing.T) {
	s, config := newSink(t)
	host := strings.TrimPrefix(strings.Split(config["url"].(string), "/hooks")[0], "http://")
	h := sdktest.New(t, webhook.Provider(), config)
	tests := map[string]struct {
		status int
		after  string
		state  schema.State
		want   schema.Failure
	}{
		"busy":    {429, "7", schema.FailedClean, schema.Failure{Code: "too_many_requests", Message: host + " answered 429, not 2xx", Remedy: "wait: the server takes no more for now", Retryable: true, RetryAfterSeconds: 7}},
		"away":    {503, "", schema.FailedPartial, schema.Failure{Code: "unavailable", Message: host + " answered 503, not 2xx", Remedy: "wait: the server turns requests away for now", Retryable: true}},
		"moved":   {302, "", schema.FailedPartial, schema.Failure{Code: "redirected", Message: host + " answered 302, not 2xx", Remedy: "give the address that it redirects to"}},
		"gateway": {504, "", schema.Unknown, schema.Failure{Code: "bad_gateway", Message: host + " answered 504, not 2xx", Remedy: "see what is behind the gateway: it may still be at work"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				if test.after != "" {
					w.Header().Set("Retry-After", test.after)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				return true
			}
			o := h.Act("post", map[string]any{"text": "x"}, sdktest.Key("k"))
			if o.State != test.state {
				t.Errorf("state %s", o.State)
			}
			if diff := cmp.Diff(&test.want, o.Failure); diff != "" {
				t.Error(diff)
			}
		})
	}
	if len(s.arrived) != 0 {
		t.Errorf("arrived: %q", s.arrived)
	}
}
