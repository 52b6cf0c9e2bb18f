package mlflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// refusal is what the server answered instead of what was asked for.
type refusal struct {
	*schema.Failure
	status int
	word   string // MLflow's own error code; empty where it is not MLflow's answer
}

func (r *refusal) Unwrap() error { return r.Failure }

// absent tells whether the server's word is that something does not exist.
func absent(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.word == "RESOURCE_DOES_NOT_EXIST"
}

// answered tells whether the error is the server's own word, or ours: then what
// was asked was not done. Of a request that was sent and not answered, and of one
// that a server failed at, nobody knows.
func answered(err error) bool {
	var r *refusal
	var typed *schema.Failure
	if errors.As(err, &r) {
		return r.status < http.StatusInternalServerError
	}
	return errors.As(err, &typed)
}

func (p *provider) backend() reach.Backend {
	return reach.Backend{Name: "MLflow", Host: p.uri.Hostname(), Address: p.uri.Host}
}

// failure types an error of a request; nil stays nil, and what is typed already
// stays as it is.
func (c *client) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var typed *schema.Failure
	var dial *net.OpError
	switch {
	case errors.As(err, &typed):
		return err
	case ctx.Err() == context.Canceled, errors.Is(err, context.Canceled):
		return sdk.Fail("cancelled", "the request to MLflow at %s was cancelled", c.uri.Host)
	case errors.As(err, &dial) && dial.Op == "dial":
		return c.backend().Unreached(ctx, err, c.config.ConnectTimeout)
	case reach.TimedOut(ctx, err):
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("MLflow at %s did not answer in time", c.uri.Host),
			Remedy:  "check that tracking_uri is right, and see the server's log for what keeps it busy; answer_timeout bounds the wait",
		}
	case c.uri.Scheme == "https", strings.Contains(err.Error(), "malformed HTTP response"):
		f := c.backend().Unreached(ctx, err, c.config.ConnectTimeout)
		if f.Code == "connection_failed" {
			f.Code, f.Remedy = "tls_failed", "check whether the server speaks TLS there: correct tracking_uri"
		}
		return f
	case reach.IsLost(err):
		return c.backend().Lost(err)
	}
	return sdk.Fail("mlflow_error", "MLflow at %s: %s", c.uri.Host, reach.Cause(err))
}

// refused types an answer that is not 200.
func (c *client) refused(ctx context.Context, response *http.Response, text []byte) error {
	var said struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(text, &said) // what is no JSON is not MLflow's own
	r := &refusal{status: response.StatusCode, word: said.Code, Failure: &schema.Failure{
		Code: "mlflow_error", Message: fmt.Sprintf("MLflow at %s answered %d: %.300s", c.uri.Host, response.StatusCode, said.Message),
	}}
	f := r.Failure
	if said.Message == "" {
		f.Message = fmt.Sprintf("MLflow at %s answered %d", c.uri.Host, response.StatusCode)
	}
	switch status := response.StatusCode; {
	case said.Code == "RESOURCE_DOES_NOT_EXIST":
		f.Code, f.Remedy = "not_found", "correct the name or ID"
	case said.Code == "INVALID_PARAMETER_VALUE" || said.Code == "BAD_REQUEST":
		f.Code, f.Remedy = "rejected", "correct what was asked for"
	case status == http.StatusUnauthorized:
		f.Code, f.Remedy = "authentication_failed", "correct username and password, or token, in the provider block"
	case status == http.StatusForbidden && said.Code == "" && c.dislikesHost(ctx):
		f.Code = "host_rejected"
		f.Message = fmt.Sprintf("MLflow refuses requests that call it %s", c.uri.Host)
		f.Remedy = "start the server with --allowed-hosts that name it, or call it by a name that it allows"
	case status == http.StatusForbidden:
		f.Code, f.Remedy = "permission_denied", "let this user do it, or use another"
	case status == http.StatusNotFound && said.Code == "", status >= 300 && status < 400:
		r.Failure = c.notMLflow()
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		f.Code, f.Retryable, f.Remedy = "busy", true, "wait: the server is overloaded or still starting"
	case status >= http.StatusInternalServerError:
		f.Code, f.Remedy = "server_error", "see the server's log: its database or its artifact store may be gone"
	}
	return r
}

// dislikesHost finds out whether it is its name in our requests that the server
// refuses: it asks under another.
func (c *client) dislikesHost(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.uri.String()+"/api/2.0/mlflow/experiments/search?max_results=1", nil)
	if err != nil {
		return false
	}
	req.Host = "localhost"
	response, err := c.http.Do(req)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode != http.StatusForbidden
}

func (c *client) notMLflow() *schema.Failure {
	f := sdk.Fail("not_mlflow", "what answers at %s is no MLflow server", (&url.URL{Scheme: c.uri.Scheme, Host: c.uri.Host, Path: c.uri.Path}).String())
	f.Remedy = "correct tracking_uri"
	return f
}

// missing is the failure where a named thing does not exist; other errors stay.
func missing(err error, code, format string, args ...any) error {
	if !absent(err) {
		return err
	}
	f := sdk.Fail(code, format, args...)
	f.Remedy = "correct the name or ID: mlflow.runs and mlflow.experiments list them"
	return f
}
