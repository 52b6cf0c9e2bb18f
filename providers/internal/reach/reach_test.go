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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUnreached(t *testing.T) {
	b := Backend{Name: "Redis", Host: "cache", Address: "cache:6379"}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, release := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer release()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want []string
	}{
		{cancelled, errors.New("x"), []string{"cancelled", "connecting to Redis at cache:6379 was cancelled"}},
		{late, errors.New("x"), []string{"timeout", "Redis at cache:6379 did not answer within 1.2s"}},
		{t.Context(), fmt.Errorf("dial: %w", os.ErrDeadlineExceeded), []string{"timeout", "Redis at cache:6379 did not answer within 1.2s"}},
		{t.Context(), &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "cache"}}, []string{"host_unknown", "the host cache of Redis cannot be resolved: no such host"}},
		{t.Context(), &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, []string{"connection_refused", "Redis at cache:6379 refused the connection"}},
		{t.Context(), &tls.CertificateVerificationError{Err: errors.New("unknown authority")}, []string{"tls_failed", "the certificate of Redis at cache:6379 is not trusted: unknown authority"}},
		{t.Context(), fmt.Errorf("as user admin: %w", errors.Join(errors.New("first"), io.EOF)), []string{"connection_failed", "connect to Redis at cache:6379: EOF"}},
	} {
		f := b.Unreached(test.ctx, test.err, 1234*time.Millisecond)
		if diff := cmp.Diff(test.want, []string{f.Code, f.Message}); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func TestIsLost(t *testing.T) {
	for err, want := range map[error]bool{
		fmt.Errorf("read: %w", io.EOF): true, net.ErrClosed: true, syscall.EPIPE: true, &net.OpError{Op: "read", Err: syscall.ECONNRESET}: true,
		errors.New("ERR unknown command"): false, context.Canceled: false,
	} {
		if got := IsLost(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
