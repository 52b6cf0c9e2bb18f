package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/pagerduty"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(pagerduty.Provider)
	os.Exit(m.Run())
}

// fakePagerDuty stands for PagerDuty, which cannot be had on a test's machine: it
// answers as the documentation of Events API v2 says, one incident for each
// dedup_key.
type fakePagerDuty struct {
	mu     sync.Mutex
	open   map[string]string // summary by dedup_key
	answer http.HandlerFunc  // instead of all else, where it is set
	url    string
}

func newFakePagerDuty(t *testing.T) *fakePagerDuty {
	f := &fakePagerDuty{open: map[string]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fakePagerDuty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer != nil {
		f.answer(w, r)
		return
	}
	var e struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Payload    struct{ Summary, Source, Severity string }
	}
	err := json.NewDecoder(r.Body).Decode(&e)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path != "/v2/enqueue":
		w.WriteHeader(http.StatusNotFound)
	case err != nil || e.RoutingKey != "routing-secret":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}`)
	case e.Action == "trigger" && (e.Payload.Summary == "" || e.Payload.Source == "" || e.Payload.Severity == ""):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"status":"invalid event","message":"Event object is invalid","errors":["'payload.summary' is missing or blank"]}`)
	default:
		if e.Action == "resolve" {
			delete(f.open, e.DedupKey)
		} else if f.open[e.DedupKey] == "" {
			f.open[e.DedupKey] = e.Payload.Summary
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"status":"success","message":"Event processed","dedup_key":%q}`, e.DedupKey)
	}
}

func TestProofAgainstFakePagerDuty(t *testing.T) {
	fake := newFakePagerDuty(t)
	api := func(port int) map[string]any {
		return map[string]any{"api_url": fmt.Sprintf("http://127.0.0.1:%d", port)}
	}
	hold := func(keep string) func(testing.TB) {
		return func(testing.TB) {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			if keep != "" {
				fake.open[keep] = "it was open"
			}
		}
	}
	page := map[string]any{"summary": "stale features", "severity": "critical", "group": "trading", "details": map[string]string{"view": "technical"}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: pagerduty.Provider,
		Config:   map[string]any{"routing_key": "routing-secret", "api_url": fake.url},
		World: func(testing.TB) any {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			return maps.Clone(fake.open)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: api(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: api(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond, Uncertain: true},
			{Name: "wrong key", Config: map[string]any{"routing_key": "routing-wrong"}, Code: "authentication_failed"},
		},
		Actions: []sdktest.ActionProof{
			{Name: "trigger", Setup: hold(""), Args: page, Class: schema.Keyed, Refused: []sdktest.Refused{
				{Args: map[string]any{"summary": " "}, Code: "invalid_argument"},
				{Args: map[string]any{"summary": "x", "severity": "bad"}, Code: "invalid_argument"},
				{Args: map[string]any{"summary": "x", "dedup_key": strings.Repeat("k", 256)}, Code: "invalid_argument"},
			}},
			{Name: "resolve", Setup: hold("stale"), Args: map[string]any{"dedup_key": "stale"}, Class: schema.Idempotent, Refused: []sdktest.Refused{
				{Args: map[string]any{"dedup_key": ""}, Code: "invalid_argument"},
			}},
		},
	})
}

func TestEventsOfFakePagerDuty(t *testing.T) {
	fake := newFakePagerDuty(t)
	host := strings.TrimPrefix(fake.url, "http://")
	h := sdktest.New(t, pagerduty.Provider(), map[string]any{"routing_key": "routing-secret", "api_url": fake.url})
	o := h.Act("trigger", map[string]any{"summary": strings.Repeat("ä", 2000)}, sdktest.Key("run-1"))
	got := sdktest.Go(t, o.Result).(map[string]any)
	if got["dedup_key"] != "run-1" || len([]rune(fake.open["run-1"])) != 1024 {
		t.Errorf("%v, a summary of %d", got, len([]rune(fake.open["run-1"])))
	}
	tests := map[string]struct {
		status int
		state  schema.State
		want   schema.Failure
	}{
		"too many": {429, schema.FailedClean, schema.Failure{Code: "too_many_requests", Message: "PagerDuty (" + host + ") answered 429", Remedy: "wait: the server takes no more for now", Retryable: true, RetryAfterSeconds: 5}},
		"200, which PagerDuty never says": {200, schema.Unknown, schema.Failure{
			Code: "not_pagerduty", Message: host + " answered 200, and not as PagerDuty does", Remedy: "correct api_url, or see what stands between this machine and PagerDuty",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fake.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "5")
				w.WriteHeader(test.status)
			}
			o := h.Act("trigger", map[string]any{"summary": "x"}, sdktest.Key("k"))
			if o.State != test.state {
				t.Errorf("state %s", o.State)
			}
			if diff := cmp.Diff(&test.want, o.Failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}
