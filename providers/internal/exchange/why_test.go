package exchange

import (
	"net"
	"net/url"
	"syscall"
	"testing"
)

// A name server that refuses is not the peer that refuses.
func TestWhyNamesTheNameServer(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	lookup := &net.DNSError{UnwrapErr: refused, Err: "dial udp: connection refused", Name: "db", Server: "127.0.0.53:53"}
	err := &url.Error{Op: "Get", URL: "http://db/?token=secret", Err: &net.OpError{Op: "dial", Err: lookup}}
	if got, want := Why(t.Context(), err), "the name cannot be resolved: dial udp: connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
