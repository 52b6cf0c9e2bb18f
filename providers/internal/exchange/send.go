package exchange

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Roots are the authorities to trust: the system's and those of a PEM file; nil:
// only the system's.
func Roots(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, sdk.InvalidArgument("ca_file", "read the certificate authorities: %v", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, sdk.InvalidArgument("ca_file", "%s holds no certificate", caFile)
	}
	return pool, nil
}

// Message is what Send sends.
type Message struct {
	Method string // empty: POST
	URL    string // may be a secret: it is in no error
	Where  string // how errors name the server
	Header nethttp.Header
	Body   []byte
	CAFile string
	Limit  int // of bytes of the answer; 0: replyLimit
}

// Reply is what was answered.
type Reply struct {
	Status int
	Header nethttp.Header
	Body   []byte // at most the message's limit
	Took   time.Duration
}

const replyLimit = 64 << 10

// patience bounds the wait for the head of an answer, also where nobody set a
// deadline: a server that takes a message and stays silent is not waited for
// without end.
const patience = 30 * time.Second

// Send sends a message once: by no proxy, over no redirect, and never again by
// itself. An error is typed, and says whether the message can have arrived; any
// status is a reply.
func Send(ctx context.Context, m Message) (Reply, error) {
	roots, err := Roots(m.CAFile)
	if err != nil {
		return Reply{}, sdk.Clean(err)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(bounded, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := nethttp.NewRequestWithContext(traced, cmp.Or(m.Method, nethttp.MethodPost), m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return Reply{}, sdk.Clean(sdk.InvalidArgument("url", "the URL cannot be read"))
	}
	req.Header = m.Header.Clone()
	req.GetBody = nil // the transport would send some requests a second time by itself
	transport := &nethttp.Transport{
		DialContext:     (&net.Dialer{}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
		ForceAttemptHTTP2: true, MaxResponseHeaderBytes: replyLimit,
	}
	defer transport.CloseIdleConnections()
	client := &nethttp.Client{Transport: transport, CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }}
	began := time.Now()
	response, err := client.Do(req)
	if err != nil {
		f := Unanswered(bounded, m.Where, err)
		if !sent.Load() {
			f.Retryable = f.Code != "cancelled" && f.Code != "tls_failed"
			return Reply{}, sdk.Clean(f)
		}
		return Reply{}, sdk.Uncertain(f)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, int64(cmp.Or(m.Limit, replyLimit)))) // the status says it all
	return Reply{response.StatusCode, response.Header, body, time.Since(began)}, nil
}
