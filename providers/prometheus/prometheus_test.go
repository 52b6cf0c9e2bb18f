package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/prometheus"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// What the test's server has: an application that is scraped and one that is not
// there, one alert that fires, one that does not, one that cannot be evaluated.
const rules = `
groups:
  - name: trading
    rules:
      - {alert: QueueLong, expr: 'queue_length > 3', labels: {severity: page}, annotations: {summary: long}}
      - {alert: QueueHuge, expr: 'queue_length > 1000'}
      - {alert: NeverEvaluated, expr: 'queue_length * on(nothing) group_left twice'}
  - name: recorded
    rules:
      - {record: 'queue:sum', expr: 'sum(queue_length)'}
`

// metrics are what the application says. Each has its time, so that none is gone
// where a busy machine misses a scrape.
func metrics() string {
	var text strings.Builder
	for _, sample := range []string{`queue_length{queue="orders"} 7`, `queue_length{queue="fills"} 2`, `not_a_number NaN`, `twice{nothing="",a="1"} 1`, `twice{nothing="",a="2"} 1`} {
		fmt.Fprintf(&text, "%s %d\n", sample, time.Now().UnixMilli())
	}
	return text.String()
}

var server *backendtest.Prometheus

func TestMain(m *testing.M) {
	sdktest.Serve(prometheus.Provider)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, metrics()) })}
	go func() {
		if err := app.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	scrape := func() (map[string]string, error) {
		return map[string]string{"app": listener.Addr().String(), "gone": "127.0.0.1:1"}, nil
	}
	backendtest.Main(m, backendtest.WithPrometheus(&server, scrape, rules))
}

func config() map[string]any {
	return map[string]any{"url": server.URL, "username": server.Username, "password": server.Password}
}

// harness waits until the server has scraped and evaluated all there is.
func harness(t *testing.T) *sdktest.Harness {
	t.Helper()
	h := sdktest.New(t, prometheus.Provider(), config())
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		scraped := h.Probe("query", map[string]any{"query": "queue:sum and on() (count(ALERTS{alertname=\"QueueLong\"}) > 0) and on() (count(up) == 2)"})
		rules := h.Probe("rules", map[string]any{"names": []string{"NeverEvaluated"}})
		if scraped.State == schema.Done && rules.State == schema.Done && strings.Contains(fmt.Sprint(sdktest.Go(t, rules.Result)), "many-to-many") {
			return h
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the server has not come that far: %v, %v", scraped, rules)
		}
	}
}

func TestProof(t *testing.T) {
	harness(t)
	at := func(port int) map[string]any { return map[string]any{"url": fmt.Sprintf("http://127.0.0.1:%d", port)} }
	query := func(text string, more ...any) map[string]any {
		args := map[string]any{"query": text}
		for i := 0; i < len(more); i += 2 {
			args[more[i].(string)] = more[i+1]
		}
		return args
	}
	sdktest.Prove(t, sdktest.Proof{
		Provider: prometheus.Provider,
		Config:   config(),
		Secrets:  []string{"wrong-secret"},
		World:    func(testing.TB) any { return nil }, // none of it can change anything
		Broken: []sdktest.Broken{
			{Name: "dead", Config: at(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: at(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond},
			{Name: "wrong password", Config: map[string]any{"password": "wrong-secret"}, Code: "authentication_failed"},
			{Name: "another path", Config: map[string]any{"url": server.URL + "/grafana"}, Code: "not_prometheus"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "query", Args: query("queue_length"), Refused: []sdktest.Refused{
				{Args: query("nothing_of_the_kind"), Code: "no_data"},
				{Args: query("nothing_of_the_kind", "expect", "threshold", "max", 1), Code: "no_data"},
				{Args: query("nothing_of_the_kind == 0", "expect", "empty", "present", "nothing_of_the_kind"), Code: "no_data"},
				{Args: query("up == 0", "expect", "empty"), Code: "invalid_argument"},
				{Args: query("queue_length{"), Code: "invalid_query"},
				{Args: query("queue_length[1m]"), Code: "invalid_argument"},
				{Args: query("queue_length * on(nothing) group_left twice"), Code: "query_failed"},
				{Args: query("up", "min", 1), Code: "invalid_argument"},
				{Args: query("up", "expect", "threshold"), Code: "invalid_argument"},
			}},
			{Name: "alerts", Args: map[string]any{}, Refused: []sdktest.Refused{{Args: map[string]any{"names": []string{"Nope"}}, Code: "not_found"}}},
			{Name: "rules", Args: map[string]any{}, Refused: []sdktest.Refused{
				{Args: map[string]any{"groups": []string{"nope"}}, Code: "not_found"}, {Args: map[string]any{"names": []string{"Nope"}}, Code: "not_found"},
			}},
			{Name: "targets", Args: map[string]any{}, Refused: []sdktest.Refused{{Args: map[string]any{"job": "nope"}, Code: "no_data"}}},
		},
	})
}

// said is what probes answer, in a line each.
func TestAnswers(t *testing.T) {
	h := harness(t)
	tests := map[string]struct {
		probe string
		args  map[string]any
		ok    bool
		want  string
	}{
		"samples":                {"query", map[string]any{"query": "queue_length"}, true, "2 samples"},
		"one sample":             {"query", map[string]any{"query": "sum(queue_length)"}, true, "1 sample, 9"},
		"a scalar":               {"query", map[string]any{"query": "1 + 1"}, true, "1 sample, 2"},
		"within":                 {"query", map[string]any{"query": "queue_length", "expect": "threshold", "min": 2, "max": 7}, true, "2 samples, all within 2 … 7"},
		"above":                  {"query", map[string]any{"query": "queue_length", "expect": "threshold", "max": 3}, false, `1 of 2 not within -Inf … 3: queue_length{instance="APP",job="app",queue="orders"} 7`},
		"no number is not below": {"query", map[string]any{"query": "sum(not_a_number)", "expect": "threshold", "max": 3}, false, "1 of 1 not within -Inf … 3: {} NaN"},
		"none, as it should be":  {"query", map[string]any{"query": `up{job="app"} == 0`, "expect": "empty", "present": `up{job="app"}`}, true, "no samples, as it should be"},
		"some that should not":   {"query", map[string]any{"query": "up == 0", "expect": "empty", "present": "up"}, false, `1 sample, 0 where none should be: up{instance="127.0.0.1:1",job="gone"} 0`},
		"an alert fires":         {"alerts", map[string]any{"names": []string{"QueueLong"}}, false, "QueueLong firing"},
		"of other labels":        {"alerts", map[string]any{"names": []string{"QueueLong"}, "labels": map[string]string{"severity": "low"}}, true, "none of 1 alerting rule fires"},
		"one does not":           {"alerts", map[string]any{"names": []string{"QueueHuge"}}, true, "none of 1 alerting rule fires"},
		"one never can":          {"alerts", map[string]any{"names": []string{"NeverEvaluated"}}, false, "nothing fires, but not all can be told: NeverEvaluated is err: found duplicate series"},
		"rules":                  {"rules", map[string]any{"groups": []string{"recorded"}}, true, "1 rule is evaluated"},
		"a rule that errs":       {"rules", map[string]any{}, false, "1 of 4 rules: NeverEvaluated err: found duplicate series"},
		"a rule that is old":     {"rules", map[string]any{"groups": []string{"recorded"}, "max_age": "0s"}, false, "1 of 1 rules: queue:sum evaluated "},
		"targets":                {"targets", map[string]any{"job": "app"}, true, "1 target is up"},
		"too few":                {"targets", map[string]any{"job": "app", "min": 2}, false, "1 target is up, and there should be 2"},
		"one is down":            {"targets", map[string]any{}, false, "1 of 2 targets are not up: 127.0.0.1:1 is down: "},
	}
	app := ""
	for _, target := range sdktest.Go(t, h.Probe("targets", map[string]any{"job": "app"}).Result).(map[string]any)["targets"].([]any) {
		app = target.(map[string]any)["instance"].(string)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := h.Probe(test.probe, test.args)
			if o.State != schema.Done {
				t.Fatal(o.Failure)
			}
			got := sdktest.Go(t, o.Result).(map[string]any)
			summary := strings.ReplaceAll(got["summary"].(string), app, "APP")
			if got["ok"] != test.ok || !strings.HasPrefix(summary, test.want) {
				t.Errorf("%v %s", got["ok"], summary)
			}
		})
	}
	o := h.Probe("query", map[string]any{"query": "sum(not_a_number)"})
	want := []any{map[string]any{"labels": map[string]any{}, "value": nil, "text": "NaN"}}
	if diff := cmp.Diff(want, sdktest.Go(t, o.Result).(map[string]any)["samples"]); diff != "" {
		t.Error(diff)
	}
}
