package http

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"mime"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// bodyLimit bounds what is read of an answer.
const bodyLimit = 1 << 20

// Target is where a request goes, and who asks.
type Target struct {
	URL      string            `runbook:"url" doc:"Address, such as https://api.example.com/health; no user name or password in it."`
	Query    map[string]string `runbook:"query,optional" doc:"Query parameters, added to those of the URL."`
	Headers  map[string]string `runbook:"headers,optional" doc:"Request headers."`
	Username string            `runbook:"username,optional" doc:"User name for basic authentication."`
	Password string            `runbook:"password,optional,sensitive" doc:"Password for basic authentication."`
}

// address is the URL with its query, or what is wrong with it.
func (t Target) address() (*url.URL, *schema.Failure) {
	u, err := url.Parse(t.URL)
	switch {
	case err != nil:
		return nil, sdk.InvalidArgument("url", "the URL cannot be read")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, sdk.InvalidArgument("url", "the URL must begin with http:// or https:// and name a host")
	case u.User != nil:
		return nil, sdk.InvalidArgument("url", "the URL holds a user name; use username and password instead")
	}
	query := u.Query()
	for name, value := range t.Query {
		query.Add(name, value)
	}
	u.RawQuery = query.Encode()
	return u, nil
}

func (p *provider) newRequest(ctx context.Context, method string, t Target, body io.Reader) (*nethttp.Request, *schema.Failure) {
	u, failure := t.address()
	if failure != nil {
		return nil, failure
	}
	req, err := nethttp.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, sdk.InvalidArgument("method", "%q is not an HTTP method", method)
	}
	req.Header.Set("User-Agent", p.config.UserAgent)
	for name, value := range t.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	if t.Username != "" || t.Password != "" {
		req.SetBasicAuth(t.Username, t.Password)
	}
	return req, nil
}

// Answer is what came back.
type Answer struct {
	Status    *int              `runbook:"status" doc:"Status code; null where nothing answered."`
	Latency   float64           `runbook:"latency_seconds" doc:"How long the whole answer took."`
	Headers   map[string]string `runbook:"headers" doc:"Response headers, names in lower case; cookies are left out."`
	Location  string            `runbook:"location" doc:"Where the answer redirects to; empty where it does not. Only redirects within the host are followed."`
	Body      string            `runbook:"body" doc:"The answer's text, at most 1 MiB of it; base64 where it is no text."`
	JSON      cty.Value         `runbook:"json" doc:"The answer's content where it calls itself JSON and is; else null. Of a server that calls it something else, jsondecode(result.body) reads it."`
	Truncated bool              `runbook:"truncated" doc:"Whether the answer was longer."`
}

// take reads the whole answer.
func (a *Answer) take(response *nethttp.Response) error {
	a.Status = &response.StatusCode
	a.Location = response.Header.Get("Location")
	a.Headers = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		if name != "Set-Cookie" {
			a.Headers[strings.ToLower(name)] = strings.Join(response.Header[name], ", ")
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit+1))
	if len(body) > bodyLimit {
		body, a.Truncated = body[:bodyLimit], true
		for range utf8.UTFMax - 1 {
			if !utf8.Valid(body) { // a character that was cut through
				body = body[:len(body)-1]
			}
		}
	}
	a.Body = legible(body)
	if a.saysJSON() && !a.Truncated && err == nil {
		a.JSON = decoded(body)
	}
	return err
}

// legible is text as it is, and anything else in base64.
func legible(content []byte) string {
	if utf8.Valid(content) {
		return string(content)
	}
	return base64.StdEncoding.EncodeToString(content)
}

// saysJSON tells whether the answer calls itself JSON.
func (a *Answer) saysJSON() bool {
	kind, _, err := mime.ParseMediaType(a.Headers["content-type"])
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// decoded is null where the text is no JSON.
func decoded(text []byte) cty.Value {
	kind, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal
	}
	value, err := ctyjson.Unmarshal(text, kind)
	if err != nil {
		return cty.NilVal
	}
	return value
}
