package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/internal/reach"
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
	f := p.backend().Unreached(ctx, err, took)
	switch {
	case f.Code == "tls_failed":
		f.Remedy = "give the authority's file as sslrootcert, or correct host"
	case f.Code != "connection_failed":
	case errors.Is(err, syscall.ENOENT) && strings.HasPrefix(p.config.Host, "/"):
		f.Code = "connection_refused"
		f.Message = fmt.Sprintf("there is no socket of PostgreSQL at %s", p.address())
		f.Remedy = "start PostgreSQL, or correct host and port"
	case strings.Contains(err.Error(), "refused TLS connection"):
		f.Code, f.Retryable = "tls_failed", false
		f.Message = fmt.Sprintf("PostgreSQL at %s does not offer TLS, and sslmode is %s", p.address(), p.config.SSLMode)
		f.Remedy = "turn ssl on in the server, or lower sslmode"
	}
	return f
}

// backend is the server as failures name it.
func (p *provider) backend() reach.Backend {
	return reach.Backend{Name: "PostgreSQL", Host: p.config.Host, Address: p.address()}
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
	case reach.TimedOut(ctx, err) || server && said.Code == "57014" && ctx.Err() == nil:
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("PostgreSQL at %s did not finish in time and the statement was cancelled", p.address()),
			Remedy:  "raise the timeout, or look for what it waits on with postgres.locks",
		}
	case ctx.Err() != nil:
		return sdk.Fail("cancelled", "the statement on PostgreSQL at %s was cancelled", p.address())
	case server:
		return p.serverFailure(said)
	case reach.IsLost(err) || errors.Is(err, pgconn.ErrConnClosed):
		return p.backend().Lost(err)
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
