package http_test

import (
	"fmt"
	"io"
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
)

func TestRequest(t *testing.T) {
	var last string
	s := server(t, map[string]http.HandlerFunc{
		"/jobs": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			last = fmt.Sprintf("%s %s %s %q", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id": 7}`)
		},
		"/moved":    http.RedirectHandler("/jobs", http.StatusFound).ServeHTTP,
		"/conflict": text(409, "application/json", `{"detail": "a job is running"}`),
		"/denied":   text(403, "text/html", "<html>no</html>"),
		"/gateway":  text(504, "text/plain", "upstream"),
		"/busy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		},
		"/drop": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		},
	})
	h := harness(t)
	o := h.Act("request", map[string]any{
		"url": s.String() + "/jobs", "json": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("reindex")}), "keyed": true,
	}, sdktest.Key("run-1/step.x"))
	got := answer(t, o)
	if got["ok"] != true || got["status"] != 201 || last != `POST application/json run-1/step.x "{\"name\":\"reindex\"}"` {
		t.Errorf("got %v, the server %s", got, last)
	}
	answer(t, h.Act("request", map[string]any{"url": s.String() + "/jobs", "method": "PUT", "body": "x", "status": []int{201}}))
	if last != `PUT text/plain; charset=utf-8  "x"` {
		t.Error(last)
	}

	hole, refused := backendtest.Blackhole(t), backendtest.Refused(t)
	for name, test := range map[string]struct {
		url     string
		state   schema.State
		failure schema.Failure
	}{
		"a refusal":         {"/denied", schema.FailedClean, schema.Failure{Code: "permission_denied", Message: "HOST/denied answered 403, not 2xx", Remedy: "let this user do that on the server, or use another"}},
		"too many requests": {"/busy", schema.FailedClean, schema.Failure{Code: "too_many_requests", Message: "HOST/busy answered 429, not 2xx", Remedy: "wait: the server takes no more for now", Retryable: true, RetryAfterSeconds: 7}},
		"a conflict":        {"/conflict", schema.FailedPartial, schema.Failure{Code: "conflict", Message: "HOST/conflict answered 409, not 2xx: a job is running", Remedy: "see on the server what stands in the way"}},
		"a gateway":         {"/gateway", schema.Unknown, schema.Failure{Code: "bad_gateway", Message: "HOST/gateway answered 504, not 2xx: upstream", Remedy: "see what is behind the gateway: it may still be at work"}},
		"a redirect of a POST": {"/moved", schema.FailedPartial, schema.Failure{
			Code: "redirected", Message: "HOST/moved answered 302, not 2xx, a redirect that is not followed to /jobs",
			Remedy: "give the address that it redirects to",
		}},
		"a connection that is closed": {"/drop", schema.Unknown, schema.Failure{
			Code: "connection_lost", Message: "HOST/drop does not answer: the connection was closed",
			Remedy: "see the server's log: it may have been restarted",
		}},
		"nobody there": {fmt.Sprintf("http://127.0.0.1:%d/x", refused), schema.FailedClean, schema.Failure{
			Code: "connection_refused", Message: fmt.Sprintf("127.0.0.1:%d/x does not answer: connection refused", refused), Retryable: true,
			Remedy: "start the server, or correct host and port",
		}},
		"no answer": {fmt.Sprintf("http://127.0.0.1:%d/x", hole), schema.Unknown, schema.Failure{
			Code: "timeout", Message: fmt.Sprintf("127.0.0.1:%d/x does not answer: no answer in time", hole),
			Remedy: "see whether the server is busy or a firewall drops the packets; the step's timeout bounds the wait",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			target := test.url
			if strings.HasPrefix(target, "/") {
				target = s.String() + target
			}
			bound := time.Minute
			if name == "no answer" { // nothing else ends that
				bound = 2 * time.Second
			}
			o := h.Act("request", map[string]any{"url": target}, sdktest.Deadline(time.Now().Add(bound)))
			test.failure.Message = strings.ReplaceAll(test.failure.Message, "HOST", s.Host)
			if o.State != test.state {
				t.Errorf("got %s, want %s", o.State, test.state)
			}
			if diff := cmp.Diff(&test.failure, o.Failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	h := harness(t)
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args map[string]any
		want schema.Description
	}{
		"POST": {
			map[string]any{
				"url": "https://api.example.com/jobs?dry=no", "body": "x", "username": "ann", "password": "hunter2",
				"headers": map[string]string{"X-Api-Key": "hunter3", "X-Trace": "7"},
			},
			schema.Description{
				Settling: schema.Manual, Summary: "POST api.example.com/jobs",
				Effects: []schema.Effect{{Resource: "https://api.example.com/jobs", Mode: schema.Write}},
				Command: []string{
					"curl", "-fsS", "-X", "POST", "-u", "ann:$HTTP_PASSWORD", "-H", "X-Api-Key: $X_API_KEY", "-H", "X-Trace: 7",
					"-H", "Content-Type: text/plain; charset=utf-8", "--data-raw", "x", "https://api.example.com/jobs?dry=no",
				},
			},
		},
		"DELETE": {
			map[string]any{"url": "http://localhost:9200/logs", "method": "DELETE"},
			schema.Description{
				Settling: schema.Manual, Destructive: true, Summary: "DELETE localhost:9200/logs",
				Effects: []schema.Effect{{Resource: "http://" + strings.ToLower(own) + ":9200/logs", Mode: schema.Delete}},
				Command: []string{"curl", "-fsS", "-X", "DELETE", "http://localhost:9200/logs"},
			},
		},
		"PUT is not taken to be idempotent": {
			map[string]any{"url": "http://a.example/x", "method": "PUT"},
			schema.Description{
				Settling: schema.Manual, Summary: "PUT a.example/x",
				Effects: []schema.Effect{{Resource: "http://a.example/x", Mode: schema.Write}},
				Command: []string{"curl", "-fsS", "-X", "PUT", "http://a.example/x"},
			},
		},
		"GET": {
			map[string]any{"url": "http://a.example/x", "method": "GET"},
			schema.Description{
				Settling: schema.Idempotent, Summary: "GET a.example/x",
				Effects: []schema.Effect{{Resource: "http://a.example/x", Mode: schema.Read}},
				Command: []string{"curl", "-fsS", "-X", "GET", "http://a.example/x"},
			},
		},
		"keyed, with effects of its own": {
			map[string]any{"url": "http://a.example/x", "keyed": true, "effects": []any{map[string]any{"resource": "s3://bucket/x", "mode": "delete"}}},
			schema.Description{
				Settling: schema.Keyed, Destructive: true, Summary: "POST a.example/x",
				Effects: []schema.Effect{{Resource: "s3://bucket/x", Mode: schema.Delete}},
				Command: []string{"curl", "-fsS", "-X", "POST", "-H", "Idempotency-Key: $IDEMPOTENCY_KEY", "http://a.example/x"},
			},
		},
		"a method and effects that are not known yet": {
			map[string]any{
				"url": "http://a.example:80/x", "method": cty.UnknownVal(cty.String),
				"effects": cty.UnknownVal(cty.List(cty.Object(map[string]cty.Type{"resource": cty.String, "mode": cty.String}))),
			},
			schema.Description{Settling: schema.Manual, Undeclared: true, Destructive: true, Summary: "sends a request to a.example:80/x"},
		},
		"a method that is not known yet": {
			map[string]any{"url": "http://a.example:80/x", "method": cty.UnknownVal(cty.String)},
			schema.Description{
				Settling: schema.Manual, Destructive: true, Summary: "sends a request to a.example:80/x",
				Effects: []schema.Effect{{Resource: "http://a.example/x", Mode: schema.Delete}},
			},
		},
		"a body that looks like a file": {
			map[string]any{"url": "http://a.example/x", "body": "@/etc/passwd", "headers": map[string]string{"content-type": "text/csv"}},
			schema.Description{
				Settling: schema.Manual, Summary: "POST a.example/x",
				Effects: []schema.Effect{{Resource: "http://a.example/x", Mode: schema.Write}},
				Command: []string{"curl", "-fsS", "-X", "POST", "-H", "content-type: text/csv", "--data-raw", "@/etc/passwd", "http://a.example/x"},
			},
		},
		"HEAD": {
			map[string]any{"url": "http://a.example/x", "method": "HEAD"},
			schema.Description{
				Settling: schema.Idempotent, Summary: "HEAD a.example/x",
				Effects: []schema.Effect{{Resource: "http://a.example/x", Mode: schema.Read}},
				Command: []string{"curl", "-fsS", "--head", "http://a.example/x"},
			},
		},
		"a URL that is not known yet": {
			map[string]any{"url": cty.UnknownVal(cty.String), "idempotent": true},
			schema.Description{Settling: schema.Idempotent, Undeclared: true, Summary: "sends a request"},
		},
		"no URL": {
			map[string]any{"url": "example.com"},
			schema.Description{Settling: schema.Manual, Summary: "sends a request", Failure: &schema.Failure{
				Code: "invalid_argument", Argument: "url", Message: "the URL must begin with http:// or https:// and name a host",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, h.Describe("request", test.args)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
