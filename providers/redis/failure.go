package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// connectFailure types an error of connect.
func (p *provider) connectFailure(ctx context.Context, err error, took time.Duration) *schema.Failure {
	var said redis.Error
	if errors.As(err, &said) {
		return p.serverFailure(said)
	}
	f := p.backend().Unreached(ctx, err, took)
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		f.Code, f.Retryable = "tls_failed", false
		f.Message = fmt.Sprintf("TLS with Redis at %s failed: %v", p.address(), record)
		f.Remedy = "the server does not speak TLS there: correct tls or port"
	}
	return f
}

// backend is the server as failures name it.
func (p *provider) backend() reach.Backend {
	return reach.Backend{Name: "Redis", Host: p.config.Host, Address: p.address()}
}

// failure types an error of an open connection; nil stays nil, and what is
// typed already stays as it is.
func (p *provider) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var typed *schema.Failure
	if errors.As(err, &typed) {
		return err
	}
	var said redis.Error
	switch {
	case ctx.Err() == context.Canceled:
		return sdk.Fail("cancelled", "the command to Redis at %s was cancelled", p.address())
	case errors.As(err, &said):
		return p.serverFailure(said)
	case reach.TimedOut(ctx, err):
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("Redis at %s stopped answering", p.address()),
			Remedy:  "see its log and SLOWLOG for what keeps it busy",
		}
	case reach.IsLost(err), errors.Is(err, redis.ErrClosed):
		return p.backend().Lost(err)
	}
	return sdk.Fail("redis_error", "Redis at %s: %v", p.address(), err)
}

// answered tells whether the error is the server's own word: then it did not do
// the command. Of one that was sent and not answered nobody knows.
func answered(err error) bool {
	var said redis.Error
	return errors.As(err, &said)
}

// sent types the error of a command that changes something.
func (p *provider) sent(ctx context.Context, err error) error {
	if answered(err) {
		return sdk.Clean(p.failure(ctx, err))
	}
	return sdk.Uncertain(p.failure(ctx, err))
}

// serverFailure types what the server answered, by the word that begins every
// error of its protocol.
func (p *provider) serverFailure(said redis.Error) *schema.Failure {
	word, _, _ := strings.Cut(said.Error(), " ")
	f := &schema.Failure{Message: fmt.Sprintf("Redis at %s: %s", p.address(), said.Error())}
	switch word {
	case "NOAUTH", "WRONGPASS":
		f.Code = "authentication_failed"
		f.Remedy = "correct username or password in the provider block"
	case "NOPERM":
		f.Code = "permission_denied"
		f.Remedy = "let the ACL user run this command on these keys, or use another user"
	case "LOADING":
		f.Code, f.Retryable = "loading", true
		f.Remedy = "wait: the server is reading its data from disk"
	case "BUSY":
		f.Code, f.Retryable = "busy", true
		f.Remedy = "a script keeps the server busy: see SLOWLOG, and SCRIPT KILL"
	case "READONLY", "MASTERDOWN":
		f.Code = "read_only"
		f.Remedy = "this is a replica: name the primary in the provider block"
	case "OOM":
		f.Code = "out_of_memory"
		f.Remedy = "maxmemory is reached: see redis.info"
	case "MISCONF":
		f.Code = "misconfigured"
		f.Remedy = "the server refuses writes since its last save failed: see its log and disk"
	case "WRONGTYPE":
		f.Code = "wrong_type"
	default:
		f.Code = "redis_error"
		switch text := said.Error(); {
		case strings.Contains(text, "DB index"), strings.Contains(text, "invalid DB"):
			f.Code, f.Remedy = "database_missing", "db is beyond the server's databases"
		case strings.Contains(text, "without any password configured"):
			f.Code, f.Remedy = "authentication_failed", "the server has no password: leave password out"
		case strings.Contains(text, "max number of clients"):
			f.Code, f.Remedy, f.Retryable = "too_many_connections", "see redis.info for the connected clients", true
		case strings.Contains(text, "unknown command"):
			f.Code, f.Remedy = "command_missing", "the server is too old, or the command was renamed"
		}
	}
	return f
}
