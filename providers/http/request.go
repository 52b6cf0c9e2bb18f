package http

import (
	"context"
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const requestDoc = "Sends one request. Where it gets no answer after it was sent, nobody knows what it did: a person has to say, unless `idempotent` or `keyed` promises that it may be sent again. GET and HEAD always may; PUT and DELETE should by the standard, but that is the server's promise to give, not ours. It follows no redirect of anything but GET and HEAD."

// RequestArgs is what request takes.
type RequestArgs struct {
	Target
	Method      string               `runbook:"method" default:"POST" doc:"HTTP method. DELETE is destructive."`
	Body        string               `runbook:"body,optional" doc:"Request body. Either this or json."`
	JSON        cty.Value            `runbook:"json,optional" doc:"Request body as a value, sent as JSON. Either this or body."`
	ContentType string               `runbook:"content_type,optional" doc:"Content-Type header; without it application/json for json, and text/plain for body."`
	Status      []int                `runbook:"status,optional" doc:"Expected status codes; without it any from 200 to 299."`
	Idempotent  bool                 `runbook:"idempotent" default:"false" doc:"Whether sending it again is harmless."`
	Keyed       bool                 `runbook:"keyed" default:"false" doc:"Whether the server knows a repetition by the key header and does not act twice."`
	KeyHeader   string               `runbook:"key_header" default:"Idempotency-Key" doc:"Header that carries the key of this run and step."`
	Effects     []sdk.DeclaredEffect `runbook:"effects,optional" doc:"What the request touches: resources as URLs, each with the mode read, write (where none is given) or delete, which makes it destructive. Without it the URL itself."`
}

// Requested is the answer of request.
type Requested struct {
	sdk.Result
	Answer
}

func (a RequestArgs) safe() bool { return a.Method == "GET" || a.Method == "HEAD" }

// body is the request's body and its content type.
func (a RequestArgs) body() (string, string, *schema.Failure) {
	if a.JSON == cty.NilVal || a.JSON.IsNull() {
		return a.Body, "text/plain; charset=utf-8", nil
	}
	if a.Body != "" {
		return "", "", sdk.InvalidArgument("json", "body and json are both given; one of them is sent")
	}
	text, err := ctyjson.Marshal(a.JSON, a.JSON.Type())
	if err != nil {
		return "", "", sdk.InvalidArgument("json", "the value cannot be sent as JSON: %v", err)
	}
	return string(text), "application/json", nil
}

func (p *provider) request(ctx context.Context, args RequestArgs, call *sdk.Call) (Requested, error) {
	body, kind, failure := args.body()
	if failure != nil {
		return Requested{}, sdk.Clean(failure)
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	})
	req, failure := p.newRequest(traced, args.Method, args.Target, strings.NewReader(body))
	if failure != nil {
		return Requested{}, sdk.Clean(failure)
	}
	if body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", args.contentType(kind))
	}
	if args.Keyed {
		req.Header.Set(args.KeyHeader, call.Key())
	}
	client, done, err := p.client()
	if err != nil {
		return Requested{}, sdk.Clean(err)
	}
	defer done()
	if !args.safe() {
		client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }
		// The transport would send some requests a second time by itself.
		req.GetBody = nil
	}

	var got Requested
	began := time.Now()
	response, err := client.Do(req)
	if err == nil {
		err = got.take(response)
		_ = response.Body.Close()
	}
	got.Latency = time.Since(began).Seconds()
	if got.Status == nil {
		f := exchange.Unanswered(ctx, exchange.Place(req.URL), err)
		if !sent.Load() {
			f.Retryable = true
			return Requested{}, sdk.Clean(f)
		}
		return Requested{}, sdk.Uncertain(f)
	}
	return got, got.judge(exchange.Place(req.URL), args.Status, err != nil)
}

// judge tells how far the request got by its status.
func (r *Requested) judge(place string, want []int, cut bool) error {
	status := *r.Status
	r.Summary = fmt.Sprintf("%s answered %d in %s", place, status, time.Duration(r.Latency*float64(time.Second)).Round(time.Millisecond))
	if slices.Contains(want, status) || len(want) == 0 && status >= 200 && status < 300 {
		r.OK = true
		if cut {
			r.Summary += ", and broke off its answer"
		}
		return nil
	}
	f := sdk.Fail("", "%s answered %d, not %s%s", place, status, expected(want), said(r.Answer))
	if r.Location != "" {
		f.Message += ", a redirect that is not followed to " + redirected(r.Location)
	}
	return exchange.Refused(f, status, r.Headers["retry-after"], time.Now())
}

func expected(want []int) string {
	if len(want) == 0 {
		return "2xx"
	}
	return oneOf(want)
}

func oneOf(codes []int) string {
	words := make([]string, len(codes))
	for i, code := range codes {
		words[i] = fmt.Sprint(code)
	}
	return strings.Join(words, " or ")
}

// redirected is where a redirect leads to, without its query.
func redirected(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.User, u.Fragment = "", nil, ""
	return u.String()
}

// said is ": " and the beginning of what an answer says of itself.
func said(a Answer) string {
	text := strings.TrimSpace(a.Body)
	var problem struct {
		Detail, Message, Error json.RawMessage
	}
	if a.saysJSON() && json.Unmarshal([]byte(a.Body), &problem) == nil {
		for _, field := range []json.RawMessage{problem.Detail, problem.Message, problem.Error} {
			if len(field) > 0 {
				text = strings.Trim(string(field), `"`)
				break
			}
		}
	}
	line, _, _ := strings.Cut(text, "\n")
	if line == "" || strings.HasPrefix(line, "<") {
		return ""
	}
	return fmt.Sprintf(": %.200s", line)
}
