// Package exchange is what the providers that speak HTTP have in common: why a
// peer did not answer, what a status means for whoever asked, and one request
// that is sent once.
package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Reason is the code of what kept a peer from answering, the same for a probe's
// answer "no" and an action's failure.
func Reason(ctx context.Context, err error) string {
	var dns *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case ctx.Err() == context.Canceled:
		return "cancelled"
	case errors.As(err, &dns) && ctx.Err() == nil:
		return "host_unknown"
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection_refused"
	case errors.As(err, &untrusted), errors.As(err, &record):
		return "tls_failed"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection_lost"
	}
	return "connection_failed"
}

// Remedy is what helps where nothing answered.
func Remedy(code string) string {
	switch code {
	case "host_unknown":
		return "correct the host, or see this machine's DNS"
	case "timeout":
		return "see whether the server is busy or a firewall drops the packets; the step's timeout bounds the wait"
	case "connection_refused":
		return "start the server, or correct host and port"
	case "tls_failed":
		return "give the certificate's authority as ca_file, correct the host, or see whether the server speaks TLS there at all"
	case "connection_lost":
		return "see the server's log: it may have been restarted"
	}
	return "see whether a server listens there"
}

// Unanswered is the failure of a request that got no answer.
func Unanswered(ctx context.Context, where string, err error) *schema.Failure {
	f := sdk.Fail(Reason(ctx, err), "%s does not answer: %s", where, Why(ctx, err))
	if f.Code != "cancelled" {
		f.Remedy = Remedy(f.Code)
	}
	return f
}

// TurnedAway types an answer with a status that was not expected.
func TurnedAway(status int) (code, remedy string) {
	switch status {
	case nethttp.StatusBadRequest, nethttp.StatusUnprocessableEntity:
		return "invalid_request", "correct what is sent"
	case nethttp.StatusUnauthorized:
		return "authentication_failed", "correct username and password, or the header that carries the credentials"
	case nethttp.StatusForbidden:
		return "permission_denied", "let this user do that on the server, or use another"
	case nethttp.StatusNotFound, nethttp.StatusGone:
		return "not_found", "correct the URL: the server has nothing there"
	case nethttp.StatusMethodNotAllowed:
		return "method_not_allowed", "the server does not take this method there"
	case nethttp.StatusConflict, nethttp.StatusPreconditionFailed:
		return "conflict", "see on the server what stands in the way"
	case nethttp.StatusRequestEntityTooLarge:
		return "request_too_large", "send less at once, or raise the server's limit"
	case nethttp.StatusUnsupportedMediaType:
		return "unsupported_type", "correct content_type"
	case nethttp.StatusTooManyRequests:
		return "too_many_requests", "wait: the server takes no more for now"
	case nethttp.StatusServiceUnavailable:
		return "unavailable", "wait: the server turns requests away for now"
	case nethttp.StatusBadGateway, nethttp.StatusGatewayTimeout:
		return "bad_gateway", "see what is behind the gateway: it may still be at work"
	}
	if status >= 300 && status < 400 {
		return "redirected", "give the address that it redirects to"
	}
	return "status", "see the server's log; status names the codes that are expected"
}

// Why is what kept a peer from answering, without the URL, whose query may hold
// what is not for everybody's eyes.
func Why(ctx context.Context, err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns) && ctx.Err() == nil: // it may hold what the name server's port said
		return "the name cannot be resolved: " + dns.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}

// Place is a URL as messages name it.
func Place(u *url.URL) string { return u.Host + u.EscapedPath() }
