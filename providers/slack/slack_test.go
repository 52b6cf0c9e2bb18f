package slack_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
	"github.com/runbook-engine/runbook/providers/slack"
)

func TestMain(m *testing.M) {
	sdktest.Serve(slack.Provider)
	os.Exit(m.Run())
}

func TestProofByTokenAgainstFakeSlack(t *testing.T) {
	fake := newFakeSlack(t)
	setup := func(testing.TB) {
		fake.mu.Lock()
		defer fake.mu.Unlock()
		fake.posted = nil
	}
	api := func(port int) map[string]any {
		return map[string]any{"api_url": fmt.Sprintf("http://127.0.0.1:%d/api", port)}
	}
	to := func(channel string) map[string]any { return map[string]any{"channel": channel, "text": "fresh"} }
	sdktest.Prove(t, sdktest.Proof{
		Provider: slack.Provider,
		Config:   map[string]any{"token": "xoxb-secret", "api_url": fake.url + "/api/"},
		World: func(testing.TB) any {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			return append([]string{}, fake.posted...)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: api(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: api(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond, Uncertain: true},
			{Name: "wrong token", Config: map[string]any{"token": "xoxb-wrong"}, Code: "authentication_failed"},
		},
		Actions: []sdktest.ActionProof{
			{Name: "post", Setup: setup, Args: to("#ops"), Class: schema.Manual, Refused: []sdktest.Refused{
				{Args: to("#nowhere"), Code: "not_found"},
				{Args: to("#private"), Code: "permission_denied"},
				{Args: map[string]any{"text": "fresh"}, Code: "invalid_argument"},
				{Args: map[string]any{"text": " ", "channel": "#ops"}, Code: "invalid_argument"},
			}},
			{Name: "post", Setup: setup, Class: schema.Manual, Args: map[string]any{
				"channel": "#ops", "text": "fresh", "thread_ts": "17.1", "blocks": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"type": cty.StringVal("divider")})}),
			}},
		},
	})
}

func TestProofByWebhookAgainstFakeSlack(t *testing.T) {
	fake := newFakeSlack(t)
	hook := func(base string) map[string]any {
		return map[string]any{"webhook_url": base + "/services/T1/B1/hook-secret"}
	}
	local := func(port int) map[string]any { return hook(fmt.Sprintf("http://127.0.0.1:%d", port)) }
	sdktest.Prove(t, sdktest.Proof{
		Provider: slack.Provider,
		Config:   hook(fake.url),
		Secrets:  []string{"hook-secret", "hook-wrong"},
		World: func(testing.TB) any {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			return append([]string{}, fake.posted...)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: local(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: local(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond, Uncertain: true},
			{Name: "wrong hook", Config: map[string]any{"webhook_url": fake.url + "/services/T1/B1/hook-wrong"}, Code: "authentication_failed"},
		},
		Actions: []sdktest.ActionProof{{Name: "post", Args: map[string]any{"text": "fresh"}, Class: schema.Manual, Refused: []sdktest.Refused{
			{Args: map[string]any{"text": "fresh", "channel": "#other"}, Code: "invalid_argument"},
		}}},
	})
}

// A status alone is no word of Slack's, and a wish to be left alone is heard.
func TestAnswersOfFakeSlack(t *testing.T) {
	fake := newFakeSlack(t)
	host := strings.TrimPrefix(fake.url, "http://")
	h := sdktest.New(t, slack.Provider(), map[string]any{"token": "xoxb-secret", "api_url": fake.url + "/api"})
	tests := map[string]struct {
		status int
		body   string
		state  schema.State
		want   schema.Failure
	}{
		"rate limited": {429, `{"ok":false,"error":"ratelimited"}`, schema.FailedClean, schema.Failure{
			Code: "too_many_requests", Message: "Slack (" + host + ") answered 429: ratelimited", Remedy: "wait: Slack takes no more for now", Retryable: true, RetryAfterSeconds: 30,
		}},
		"rate limited without a word": {429, ``, schema.FailedClean, schema.Failure{
			Code: "too_many_requests", Message: "Slack (" + host + ") answered 429", Remedy: "wait: the server takes no more for now", Retryable: true, RetryAfterSeconds: 30,
		}},
		"a page of something else": {200, `<html>welcome</html>`, schema.Unknown, schema.Failure{
			Code: "not_slack", Message: host + " answered 200, and not as Slack does", Remedy: "correct the URL, or see what stands between this machine and Slack",
		}},
		"a fatal error": {200, `{"ok":false,"error":"fatal_error"}`, schema.Unknown, schema.Failure{
			Code: "unavailable", Message: "Slack (" + host + ") answered 200: fatal_error", Remedy: "see Slack's status page, and whether the message arrived",
		}},
		"a word that is new": {200, `{"ok":false,"error":"moon_is_full"}`, schema.FailedClean, schema.Failure{
			Code: "refused", Message: "Slack (" + host + ") answered 200: moon_is_full", Remedy: "look the word up in the reference of chat.postMessage",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fake.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}
			o := h.Act("post", map[string]any{"text": "x", "channel": "#ops"})
			if o.State != test.state {
				t.Errorf("state %s", o.State)
			}
			if diff := cmp.Diff(&test.want, o.Failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}
