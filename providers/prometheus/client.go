package prometheus

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// replyLimit bounds what is read of an answer.
const replyLimit = 8 << 20

// envelope is what the API puts around everything.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
	Warnings  []string        `json:"warnings"`
}

// get asks one endpoint and decodes its data into to. It returns the server's
// warnings. A failure is typed.
func (p *provider) get(ctx context.Context, endpoint string, form url.Values, to any) ([]string, error) {
	roots, err := exchange.Roots(p.config.CAFile)
	if err != nil {
		return nil, err
	}
	u := p.base.JoinPath("api", "v1", endpoint)
	where := u.Host
	// A query may be longer than an address: it travels in a form where the API lets it.
	method, body := http.MethodGet, io.Reader(nil)
	if endpoint == "query" {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	} else {
		u.RawQuery = form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, sdk.InvalidArgument("url", "the URL cannot be read")
	}
	req.Header.Set("User-Agent", "runbook")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	switch {
	case p.config.Token != "":
		req.Header.Set("Authorization", "Bearer "+p.config.Token)
	case p.config.Username != "" || p.config.Password != "":
		req.SetBasicAuth(p.config.Username, p.config.Password)
	}
	transport := &http.Transport{
		DialContext:     (&net.Dialer{}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(req)
	if err != nil {
		f := exchange.Unanswered(ctx, where, err)
		f.Retryable = f.Code != "cancelled" && f.Code != "tls_failed"
		return nil, f
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, replyLimit+1))
	if err != nil {
		return nil, exchange.Unanswered(ctx, where, err)
	}
	if len(text) > replyLimit {
		f := sdk.Fail("result_too_large", "%s answered with more than %d MiB", where, replyLimit>>20)
		f.Remedy = "ask for less: aggregate, or select by more labels"
		return nil, f
	}
	var said envelope
	parsed := json.Unmarshal(text, &said)
	switch {
	case response.StatusCode == http.StatusOK && parsed == nil && said.Status == "success":
		if err := json.Unmarshal(said.Data, to); err != nil {
			return nil, notPrometheus(where, response.StatusCode)
		}
		return said.Warnings, nil
	case parsed == nil && said.Status == "error":
		return nil, said.failure(where)
	}
	return nil, refused(where, response)
}

// failure types an error of the API's own.
func (e envelope) failure(where string) *schema.Failure {
	f := sdk.Fail("refused", "%s: %s", where, e.Error)
	switch e.ErrorType {
	case "bad_data":
		f.Code, f.Argument, f.Remedy = "invalid_query", "query", "correct the PromQL"
	case "execution":
		f.Code, f.Remedy = "query_failed", "try the query in Prometheus's own page"
	case "timeout", "canceled":
		f.Code, f.Remedy, f.Retryable = "query_timeout", "ask for less, or raise --query.timeout of the server", true
	case "unavailable":
		f.Code, f.Remedy, f.Retryable = "unavailable", "wait: the server is not ready yet", true
	default:
		f.Remedy = "see the server's log"
	}
	return f
}

func refused(where string, response *http.Response) *schema.Failure {
	switch response.StatusCode {
	case http.StatusOK, http.StatusNotFound:
		return notPrometheus(where, response.StatusCode)
	}
	f := sdk.Fail("", "%s answered %d", where, response.StatusCode)
	f.Code, f.Remedy = exchange.TurnedAway(response.StatusCode)
	f.Retryable = response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable
	f.RetryAfterSeconds = exchange.RetryAfter(response.Header.Get("Retry-After"), time.Now()).Seconds()
	return f
}

func notPrometheus(where string, status int) *schema.Failure {
	f := sdk.Fail("not_prometheus", "%s answered %d, and not as Prometheus does", where, status)
	f.Remedy = "correct url: it is what comes before /api/v1"
	return f
}

// noData is the failure of an answer that says nothing: no data is not health.
func noData(remedy, format string, args ...any) *schema.Failure {
	f := sdk.Fail("no_data", "%s: no data is no answer", fmt.Sprintf(format, args...))
	f.Remedy = remedy
	return f
}
