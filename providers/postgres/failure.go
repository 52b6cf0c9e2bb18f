package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// connectFailure types an error of connect. What the server itself said comes
// first: with several addresses the others may merely have refused.
func (p *provider) connectFailure(ctx context.Context, err error, took time.Duration) *schema.Failure {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return p.serverFailure(said)
	}
	if errors.Is(context.Cause(ctx), context.Canceled) || ctx.Err() == context.Canceled {
		return sdk.Fail("cancelled", "connecting to PostgreSQL at %s was cancelled", p.address())
	}
	f := &schema.Failure{Retryable: true}
	var unresolved *net.DNSError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unresolved):
		f.Code = "host_unknown"
		f.Message = fmt.Sprintf("the host %s of PostgreSQL cannot be resolved: %s", p.config.Host, unresolved.Err)
		f.Remedy = "check host, and this machine's DNS"
	case timedOut(ctx, err):
		f.Code = "timeout"
		f.Message = fmt.Sprintf("PostgreSQL at %s did not answer within %s", p.address(), round(took))
		f.Remedy = "check that host and port are right and that no firewall drops the packets; connect_timeout bounds the wait"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Code = "connection_refused"
		f.Message = fmt.Sprintf("PostgreSQL at %s refused the connection", p.address())
		f.Remedy = "start PostgreSQL, or correct host and port"
	case errors.Is(err, syscall.ENOENT) && strings.HasPrefix(p.config.Host, "/"):
		f.Code = "connection_refused"
		f.Message = fmt.Sprintf("there is no socket of PostgreSQL at %s", p.address())
		f.Remedy = "start PostgreSQL, or correct host and port"
	case errors.As(err, &untrusted):
		f.Code, f.Retryable = "tls_failed", false
		f.Message = fmt.Sprintf("the certificate of PostgreSQL at %s is not trusted: %v", p.address(), untrusted.Err)
		f.Remedy = "give the authority's file as sslrootcert, or correct host"
	case strings.Contains(err.Error(), "refused TLS connection"):
		f.Code, f.Retryable = "tls_failed", false
		f.Message = fmt.Sprintf("PostgreSQL at %s does not offer TLS, and sslmode is %s", p.address(), p.config.SSLMode)
		f.Remedy = "turn ssl on in the server, or lower sslmode"
	default:
		f.Code = "connection_failed"
		f.Message = fmt.Sprintf("connect to PostgreSQL at %s: %s", p.address(), innermost(err))
		f.Remedy = "check that a PostgreSQL server listens there"
	}
	return f
}

// failure types an error of an open session; nil stays nil, and what is typed
// already stays as it is.
func (p *provider) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var typed *schema.Failure
	if errors.As(err, &typed) {
		return err
	}
	var said *pgconn.PgError
	server := errors.As(err, &said)
	switch {
	case timedOut(ctx, err) || server && said.Code == "57014" && ctx.Err() == nil:
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("PostgreSQL at %s did not finish in time and the statement was cancelled", p.address()),
			Remedy:  "raise the timeout, or look for what it waits on with postgres.locks",
		}
	case ctx.Err() != nil:
		return sdk.Fail("cancelled", "the statement on PostgreSQL at %s was cancelled", p.address())
	case server:
		return p.serverFailure(said)
	case lostConnection(err):
		return &schema.Failure{
			Code: "connection_lost", Retryable: true,
			Message: fmt.Sprintf("the connection to PostgreSQL at %s was lost: %s", p.address(), innermost(err)),
			Remedy:  "see the server's log: it may have been restarted",
		}
	case strings.HasPrefix(err.Error(), "expected ") && strings.Contains(err.Error(), "arguments, got"):
		return sdk.InvalidArgument("params", "params do not fit the statement: %v", err)
	}
	return sdk.Fail("postgres_error", "PostgreSQL at %s: %v", p.address(), err)
}

// sent types the error of a statement that was sent to run outside of a
// transaction. Where the server has not said how it ended, it may go on.
func (p *provider) sent(ctx context.Context, err error) error {
	var said *pgconn.PgError
	if err == nil || errors.As(err, &said) {
		return p.failure(ctx, err)
	}
	return sdk.Uncertain(p.failure(ctx, err))
}

func timedOut(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return ctx.Err() == context.DeadlineExceeded
	}
	return pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

func lostConnection(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.As(err, &network)
}

// innermost is the cause without the driver's layers, which repeat user and
// database.
func innermost(err error) string {
	for {
		switch wrapped := err.(type) {
		case interface{ Unwrap() error }:
			if inner := wrapped.Unwrap(); inner != nil {
				err = inner
				continue
			}
		case interface{ Unwrap() []error }:
			if inner := wrapped.Unwrap(); len(inner) > 0 {
				err = inner[len(inner)-1]
				continue
			}
		}
		return err.Error()
	}
}

// round keeps a measured duration readable.
func round(d time.Duration) time.Duration {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < time.Minute:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
