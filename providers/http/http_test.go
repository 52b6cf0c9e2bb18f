package http_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	rbhttp "github.com/runbook-engine/runbook/providers/http"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func harness(t *testing.T) *sdktest.Harness {
	t.Helper()
	return sdktest.New(t, rbhttp.Provider(), nil)
}

// server answers by path.
func server(t *testing.T, answers map[string]http.HandlerFunc) *url.URL {
	t.Helper()
	mux := http.NewServeMux()
	for path, answer := range answers {
		mux.HandleFunc(path, answer)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func text(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Set-Cookie", "session=secret")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func answer(t *testing.T, o schema.Outcome) map[string]any {
	t.Helper()
	if o.State != schema.Done {
		t.Fatalf("got %s: %v", o.State, o.Failure)
	}
	return sdktest.Go(t, o.Result).(map[string]any)
}

// told is the summary without how long it took.
func told(t *testing.T, got map[string]any) string {
	t.Helper()
	summary, _ := got["summary"].(string)
	before, after, cut := strings.Cut(summary, " in ")
	if !cut {
		return summary
	}
	_, after, _ = strings.Cut(after, "s")
	return before + after
}

func TestGet(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // must not be used
	s := server(t, map[string]http.HandlerFunc{
		"/health": text(200, "application/json; charset=utf-8", `{"status": "ok", "checks": [1, {"db": true}]}`),
		"/broken": text(200, "application/json", `<html>maintenance</html>`),
		"/null":   text(200, "application/json", `null`),
		"/down":   text(503, "text/plain", "draining"),
		"/moved":  http.RedirectHandler("/health?token=x", http.StatusFound).ServeHTTP,
		"/loop":   http.RedirectHandler("/loop", http.StatusFound).ServeHTTP,
		"/away": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://other.example/?token=x", http.StatusFound)
		},
		"/binary":   text(200, "application/octet-stream", "\xff\xfe"),
		"/nobody":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) },
		"/long":     text(200, "text/plain", strings.Repeat("é", 1<<20)),
		"/longjson": text(200, "application/json", `"`+strings.Repeat("x", 1<<21)+`"`),
		"/echo": func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			fmt.Fprintf(w, "%s|%s|%s|%s|%s:%s", r.URL.RawQuery, r.Header.Get("X-Trace"), r.Host, r.UserAgent(), user, password)
		},
		"/cut": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		},
	})
	h := harness(t)
	for name, test := range map[string]struct {
		args    map[string]any
		ok      bool
		summary string
		want    map[string]any // some of the fields
	}{
		"JSON": {
			map[string]any{"url": "/health"}, true, "HOST/health answered 200",
			map[string]any{
				"status": 200, "location": "", "truncated": false,
				"json": map[string]any{"status": "ok", "checks": []any{1, map[string]any{"db": true}}},
			},
		},
		"what calls itself JSON and is none": {
			map[string]any{"url": "/broken"}, false, "HOST/broken answered 200, and calls JSON what is none",
			map[string]any{"json": nil, "body": "<html>maintenance</html>"},
		},
		"JSON null": {map[string]any{"url": "/null"}, true, "HOST/null answered 200", map[string]any{"json": nil, "body": "null"}},
		"another status": {
			map[string]any{"url": "/down"}, false, "HOST/down answered 503, not 200",
			map[string]any{"status": 503, "body": "draining"},
		},
		"an expected status": {map[string]any{"url": "/down", "status": []int{200, 503}}, true, "HOST/down answered 503", nil},
		"a body that matches": {
			map[string]any{"url": "/health", "body_pattern": `"status":\s*"ok"`}, true, "HOST/health answered 200", nil,
		},
		"a body that does not": {
			map[string]any{"url": "/health", "body_pattern": "degraded"}, false,
			"HOST/health answered 200, and its body does not match degraded", nil,
		},
		"a redirect within the host": {map[string]any{"url": "/moved"}, true, "HOST/health answered 200", map[string]any{"status": 200}},
		"a redirect to another host": {
			map[string]any{"url": "/away"}, false,
			"HOST/away answered 302, a redirect that is not followed to http://other.example/", map[string]any{"status": 302},
		},
		"redirects without end": {
			map[string]any{"url": "/loop"}, false,
			"HOST/loop answered 302, a redirect that is not followed to /loop", map[string]any{"status": 302},
		},
		"no text": {map[string]any{"url": "/binary"}, true, "HOST/binary answered 200", map[string]any{"body": "//4="}},
		"nothing": {
			map[string]any{"url": "/nobody", "status": []int{204}}, true, "HOST/nobody answered 204", map[string]any{"body": ""},
		},
		"a long answer": {
			map[string]any{"url": "/long"}, true, "HOST/long answered 200",
			map[string]any{"truncated": true, "body": strings.Repeat("é", 1<<19)},
		},
		"long JSON is not read": {
			map[string]any{"url": "/longjson"}, true, "HOST/longjson answered 200",
			map[string]any{"truncated": true, "json": nil},
		},
		"query, headers and authentication": {
			map[string]any{
				"url": "/echo?a=1", "query": map[string]string{"b": "2 3"},
				"headers":  map[string]string{"X-Trace": "7", "Host": "api.example"},
				"username": "ann", "password": "hunter2",
			}, true, "HOST/echo answered 200", map[string]any{"body": "a=1&b=2+3|7|api.example|runbook|ann:hunter2"},
		},
		"an answer cut short": {
			map[string]any{"url": "/cut"}, false, "HOST/cut broke off its answer: the connection was closed", map[string]any{"body": "half"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.args["url"] = s.String() + test.args["url"].(string)
			got := answer(t, h.Probe("get", test.args))
			if diff := cmp.Diff(strings.ReplaceAll(test.summary, "HOST", s.Host), told(t, got)); diff != "" || got["ok"] != test.ok {
				t.Errorf("ok = %v %s", got["ok"], diff)
			}
			for field, value := range test.want {
				if diff := cmp.Diff(value, got[field]); diff != "" {
					t.Errorf("%s: %.300s", field, diff)
				}
			}
			if headers, _ := got["headers"].(map[string]any); headers["set-cookie"] != nil {
				t.Error("the answer tells a cookie")
			}
		})
	}
}

func TestGetWithoutAnswer(t *testing.T) {
	h := harness(t)
	refused, hole := backendtest.Refused(t), backendtest.Blackhole(t)
	for name, test := range map[string]struct {
		url, summary string
		bound        time.Duration // short only where nothing but the bound ends it
	}{
		"refused":    {fmt.Sprintf("http://127.0.0.1:%d/x?token=secret", refused), fmt.Sprintf("127.0.0.1:%d/x does not answer: connection refused", refused), time.Minute},
		"blackholed": {fmt.Sprintf("http://127.0.0.1:%d/x", hole), fmt.Sprintf("127.0.0.1:%d/x does not answer: no answer in time", hole), 2 * time.Second},
		"no host":    {"http://nowhere.invalid/x", "nowhere.invalid/x does not answer: no such host", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			o := h.Probe("get", map[string]any{"url": test.url}, sdktest.Deadline(time.Now().Add(test.bound)))
			got := answer(t, o)
			if got["ok"] != false || got["status"] != nil || got["summary"] != test.summary {
				t.Errorf("got %v", got)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := h.Probe("get", map[string]any{"url": fmt.Sprintf("http://127.0.0.1:%d/", hole)}, sdktest.Context(ctx))
	if o.Failure == nil || o.Failure.Code != "cancelled" {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
}

func TestGetArguments(t *testing.T) {
	h := harness(t)
	for argument, args := range map[string]map[string]any{
		"url":          {"url": "http://ann:hunter2@example.com/"},
		"body_pattern": {"url": "http://example.com", "body_pattern": "("},
	} {
		o := h.Probe("get", args)
		if o.Failure == nil || o.Failure.Argument != argument || strings.Contains(o.Failure.Message, "hunter2") {
			t.Errorf("got %+v", o.Failure)
		}
	}
	for _, text := range []string{"example.com/health", "ftp://example.com", "http://"} {
		if o := h.Probe("get", map[string]any{"url": text}); o.Failure == nil || o.Failure.Argument != "url" {
			t.Errorf("%s: got %+v", text, o.Failure)
		}
	}
}

func TestTCP(t *testing.T) {
	h := harness(t)
	s := server(t, nil)
	got := answer(t, h.Probe("tcp", map[string]any{"address": s.Host}))
	delete(got, "latency_seconds")
	if diff := cmp.Diff(map[string]any{"ok": true, "summary": s.Host + " accepts connections", "remote_address": s.Host, "reason": ""}, got); diff != "" {
		t.Error(diff)
	}
	refused := fmt.Sprintf("127.0.0.1:%d", backendtest.Refused(t))
	if got := answer(t, h.Probe("tcp", map[string]any{"address": refused})); got["ok"] != false || got["summary"] != refused+" does not accept: connection refused" {
		t.Errorf("got %v", got)
	}
	if o := h.Probe("tcp", map[string]any{"address": "localhost"}); o.Failure == nil || o.Failure.Argument != "address" {
		t.Errorf("got %v", o.Failure)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	address := s.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := sdktest.New(t, rbhttp.Provider(), map[string]any{"ca_file": file})
	ends := s.Certificate().NotAfter.UTC().Format(time.RFC3339)

	got := answer(t, trusting.Probe("tls", map[string]any{"address": address, "server_name": "example.com"}))
	for _, name := range []string{"latency_seconds", "expires_in_seconds"} {
		delete(got, name)
	}
	want := map[string]any{
		"reason": "", "ok": true, "summary": "the certificate of " + address + " ends " + ends,
		"verified": true, "problem": "", "expires_at": ends, "subject": "O=Acme Co", "issuer": "O=Acme Co",
		"names": []any{"example.com", "*.example.com", "127.0.0.1", "::1"}, "protocol": "TLS 1.3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := answer(t, trusting.Probe("tls", map[string]any{"address": address, "server_name": "other.example"})); got["ok"] != false || got["verified"] != false || !strings.Contains(got["problem"].(string), "not other.example") {
		t.Errorf("got %v", got)
	}
	if got := answer(t, trusting.Probe("tls", map[string]any{"address": address, "min_validity": "2000000h"})); got["ok"] != false || got["verified"] != true {
		t.Errorf("got %v", got)
	}
	if got := answer(t, harness(t).Probe("tls", map[string]any{"address": address})); got["ok"] != false || got["expires_at"] != ends {
		t.Errorf("got %v", got)
	}
	plain := server(t, nil)
	if got := answer(t, harness(t).Probe("tls", map[string]any{"address": plain.Host})); got["ok"] != false || got["expires_at"] != nil {
		t.Errorf("got %v", got)
	}
	if got := answer(t, trusting.Probe("get", map[string]any{"url": s.URL, "status": []int{404}})); got["ok"] != true {
		t.Errorf("got %v", got)
	}
	if got := answer(t, harness(t).Probe("get", map[string]any{"url": s.URL, "status": []int{404}})); got["ok"] != false {
		t.Errorf("got %v", got)
	}
}

// A port that accepts and says nothing answers tcp, and nothing else.
func TestSilentPort(t *testing.T) {
	hole := net.JoinHostPort("127.0.0.1", fmt.Sprint(backendtest.Blackhole(t)))
	h := harness(t)
	if got := answer(t, h.Probe("tcp", map[string]any{"address": hole})); got["ok"] != true {
		t.Errorf("got %v", got)
	}
	o := h.Probe("tls", map[string]any{"address": hole}, sdktest.Deadline(time.Now().Add(500*time.Millisecond)))
	if got := answer(t, o); got["ok"] != false || got["problem"] != "no answer in time" {
		t.Errorf("got %v", got)
	}
}
