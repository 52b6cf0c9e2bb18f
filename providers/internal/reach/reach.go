// Package reach tells why a backend could not be reached over the network, with
// the same codes and words for every bundled provider. What a backend itself
// answered is left to its provider, which knows its words.
package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Backend is what a connection goes to.
type Backend struct {
	Name    string // such as PostgreSQL
	Host    string // as configured
	Address string // as people write it
}

// Check says what is wrong with the arguments host, port and connect_timeout.
func Check(host string, port int, timeout time.Duration) *schema.Failure {
	switch {
	case host == "":
		return sdk.InvalidArgument("host", "host must not be empty")
	case port < 1 || port > 65535:
		return sdk.InvalidArgument("port", "port must be between 1 and 65535, got %d", port)
	case timeout <= 0:
		return sdk.InvalidArgument("connect_timeout", "connect_timeout must be positive, got %s", timeout)
	}
	return nil
}

// Unreached is the failure of an attempt to connect that took so long.
func (b Backend) Unreached(ctx context.Context, err error, took time.Duration) *schema.Failure {
	var unresolved *net.DNSError
	var untrusted *tls.CertificateVerificationError
	f := &schema.Failure{Retryable: true}
	switch {
	case ctx.Err() == context.Canceled:
		return sdk.Fail("cancelled", "connecting to %s at %s was cancelled", b.Name, b.Address)
	case errors.As(err, &unresolved):
		f.Code = "host_unknown"
		f.Message = fmt.Sprintf("the host %s of %s cannot be resolved: %s", b.Host, b.Name, unresolved.Err)
		f.Remedy = "check host, and this machine's DNS"
	case TimedOut(ctx, err):
		f.Code = "timeout"
		f.Message = fmt.Sprintf("%s at %s did not answer within %s", b.Name, b.Address, phrase.Round(took))
		f.Remedy = "check that host and port are right, that TLS is spoken on both sides or on neither, and that no firewall drops the packets; connect_timeout bounds the wait"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Code = "connection_refused"
		f.Message = fmt.Sprintf("%s at %s refused the connection", b.Name, b.Address)
		f.Remedy = fmt.Sprintf("start %s, or correct host and port", b.Name)
	case errors.As(err, &untrusted):
		f.Code, f.Retryable = "tls_failed", false
		f.Message = fmt.Sprintf("the certificate of %s at %s is not trusted: %v", b.Name, b.Address, untrusted.Err)
		f.Remedy = "have this machine trust the certificate's authority, or correct host"
	default:
		f.Code = "connection_failed"
		f.Message = fmt.Sprintf("connect to %s at %s: %s", b.Name, b.Address, Cause(err))
		f.Remedy = fmt.Sprintf("check that %s listens there", b.Name)
	}
	return f
}

// Early ends a little before ctx's deadline, so that "it does not answer" can
// still be told in time.
func Early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/10, 200*time.Millisecond)))
}

// Lost is the failure of a connection that was open.
func (b Backend) Lost(err error) *schema.Failure {
	return &schema.Failure{
		Code: "connection_lost", Retryable: true,
		Message: fmt.Sprintf("the connection to %s at %s was lost: %s", b.Name, b.Address, Cause(err)),
		Remedy:  "see the server's log: it may have been restarted",
	}
}

// TimedOut tells whether an error is that of a deadline.
func TimedOut(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return ctx.Err() == context.DeadlineExceeded
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// IsLost tells whether an error is that of a connection that is gone.
func IsLost(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &network)
}

// Cause is an error without the driver's layers, which repeat what a message says
// already, or name the user.
func Cause(err error) string {
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
