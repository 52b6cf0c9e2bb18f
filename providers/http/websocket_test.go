package http_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/websocket"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// socket speaks WebSocket by another implementation than the provider's.
func socket(serve func(*websocket.Conn)) http.HandlerFunc {
	s := websocket.Server{Handler: serve, Handshake: func(c *websocket.Config, r *http.Request) error {
		offered := c.Protocol
		c.Protocol = nil
		for _, protocol := range offered {
			if protocol == "prices" {
				c.Protocol = []string{protocol}
			}
		}
		return nil
	}}
	return s.ServeHTTP
}

// listen reads until the client is gone, which also answers its pings.
func listen(c *websocket.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestWebSocket(t *testing.T) {
	say := func(text string) http.HandlerFunc {
		return socket(func(c *websocket.Conn) {
			_, _ = io.WriteString(c, text)
			listen(c)
		})
	}
	s := server(t, map[string]http.HandlerFunc{
		"/quiet": socket(listen),
		"/json":  say(`{"price": 4001.5}`),
		"/binary": socket(func(c *websocket.Conn) {
			c.PayloadType = websocket.BinaryFrame
			_, _ = c.Write([]byte{0xff, 0xfe})
			listen(c)
		}),
		"/echo": socket(func(c *websocket.Conn) {
			user, password, _ := c.Request().BasicAuth()
			fmt.Fprintf(c, "%s|%s|%s:%s", c.Request().URL.RawQuery, c.Request().Header.Get("X-Trace"), user, password)
			listen(c)
		}),
		"/closes": socket(func(c *websocket.Conn) { _ = c.WriteClose(4001) }),
		"/plain":  text(200, "text/plain", "no socket here"),
		"/denied": text(401, "text/plain", ""),
		"/moved":  http.RedirectHandler("/quiet", http.StatusFound).ServeHTTP,
	})
	h := harness(t)
	for name, test := range map[string]struct {
		args    map[string]any
		ok      bool
		summary string
		want    map[string]any
	}{
		"a ping": {map[string]any{"url": "/quiet"}, true, "HOST/quiet took the connection and answered the ping", map[string]any{"status": 101, "message": nil, "reason": ""}},
		"the first message": {
			map[string]any{"url": "/json", "message": true}, true, "HOST/json took the connection and answered the ping; its first message has 17 bytes",
			map[string]any{"message": `{"price": 4001.5}`, "json": map[string]any{"price": 4001.5}},
		},
		"a message that nobody waits for": {map[string]any{"url": "/json"}, true, "HOST/json took the connection and answered the ping", map[string]any{"message": nil, "json": nil}},
		"a message that matches":          {map[string]any{"url": "/json", "message_pattern": "price"}, true, "HOST/json took the connection and answered the ping; its first message has 17 bytes", nil},
		"a message that does not": {
			map[string]any{"url": "/json", "message_pattern": "^volume"}, false, "the first message of HOST/json does not match ^volume", map[string]any{"reason": "no_match"},
		},
		"no text": {map[string]any{"url": "/binary", "message": true}, true, "HOST/binary took the connection and answered the ping; its first message has 4 bytes", map[string]any{"message": "//4=", "json": nil}},
		"query, headers and authentication": {
			map[string]any{
				"url": "/echo?a=1", "query": map[string]string{"b": "2"}, "headers": map[string]string{"X-Trace": "7"},
				"username": "ann", "password": "hunter2", "message": true,
			}, true, "HOST/echo took the connection and answered the ping; its first message has 21 bytes", map[string]any{"message": "a=1&b=2|7|ann:hunter2"},
		},
		"a subprotocol":      {map[string]any{"url": "/quiet", "subprotocols": []string{"news", "prices"}}, true, "HOST/quiet took the connection and answered the ping", map[string]any{"subprotocol": "prices"}},
		"no subprotocol":     {map[string]any{"url": "/quiet", "subprotocols": []string{"news"}}, false, "HOST/quiet takes none of the subprotocols news", map[string]any{"reason": "no_subprotocol"}},
		"a closed socket":    {map[string]any{"url": "/closes", "message": true}, false, "HOST/closes closed the WebSocket: 4001 ", map[string]any{"reason": "connection_lost", "message": nil}},
		"what is no socket":  {map[string]any{"url": "/plain"}, false, "HOST/plain answered 200 and does not speak WebSocket", map[string]any{"status": 200, "reason": "status"}},
		"wrong credentials":  {map[string]any{"url": "/denied"}, false, "HOST/denied answered 401 and does not speak WebSocket", map[string]any{"reason": "authentication_failed"}},
		"a redirect":         {map[string]any{"url": "/moved"}, false, "HOST/moved answered 302 and does not speak WebSocket", map[string]any{"reason": "redirected"}},
		"nothing at the URL": {map[string]any{"url": "/nowhere"}, false, "HOST/nowhere answered 404 and does not speak WebSocket", map[string]any{"reason": "not_found"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.args["url"] = "ws://" + s.Host + test.args["url"].(string)
			got := answer(t, h.Probe("websocket", test.args))
			if diff := cmp.Diff(strings.ReplaceAll(test.summary, "HOST", s.Host), told(t, got)); diff != "" || got["ok"] != test.ok {
				t.Errorf("ok = %v %s", got["ok"], diff)
			}
			if ping := got["ping_seconds"]; test.ok && ping == nil {
				t.Error("it is ok and the ping was not answered")
			}
			for field, value := range test.want {
				if diff := cmp.Diff(value, got[field]); diff != "" {
					t.Errorf("%s: %s", field, diff)
				}
			}
		})
	}
}

func TestWebSocketWithoutAnswer(t *testing.T) {
	s := server(t, map[string]http.HandlerFunc{"/quiet": socket(listen), "/deaf": socket(func(c *websocket.Conn) { <-c.Request().Context().Done() })})
	h := harness(t)
	for name, test := range map[string]struct {
		url     string
		args    map[string]any
		reason  string
		summary string
		bound   time.Duration
	}{
		"refused":    {fmt.Sprintf("ws://127.0.0.1:%d/x", backendtest.Refused(t)), nil, "connection_refused", "/x does not answer: connection refused", time.Minute},
		"blackholed": {fmt.Sprintf("ws://127.0.0.1:%d/x", backendtest.Blackhole(t)), nil, "timeout", "/x does not answer: no answer in time", 2 * time.Second},
		"no message": {"ws://" + s.Host + "/quiet", map[string]any{"message": true}, "timeout", "/quiet sent no message: no answer in time", 2 * time.Second},
		"no pong":    {"ws://" + s.Host + "/deaf", nil, "timeout", "/deaf does not answer the ping: no answer in time", 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			args := map[string]any{"url": test.url}
			for name, value := range test.args {
				args[name] = value
			}
			got := answer(t, h.Probe("websocket", args, sdktest.Deadline(time.Now().Add(test.bound))))
			if summary, _ := got["summary"].(string); got["ok"] != false || got["reason"] != test.reason || !strings.HasSuffix(summary, test.summary) {
				t.Errorf("got %v", got)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := h.Probe("websocket", map[string]any{"url": "ws://" + s.Host + "/quiet", "message": true}, sdktest.Context(ctx)); o.Failure == nil || o.Failure.Code != "cancelled" {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
	for argument, args := range map[string]map[string]any{
		"url":             {"url": "https://example.com/"},
		"message_pattern": {"url": "ws://example.com", "message_pattern": "("},
	} {
		if o := h.Probe("websocket", args); o.Failure == nil || o.Failure.Argument != argument {
			t.Errorf("got %v", o.Failure)
		}
	}
}
