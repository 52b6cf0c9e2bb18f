package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const tcpDoc = "Whether a TCP port accepts a connection. What does not is not ok; it is no error."

const tlsDoc = "Whether a TLS server's certificate is trusted, is for this name, and stays valid for long enough. One that is not is still described."

// TCPArgs is what tcp takes.
type TCPArgs struct {
	Address string `runbook:"address" doc:"Host and port, such as db.example.com:5432."`
}

// Connected is the answer of tcp.
type Connected struct {
	sdk.Result
	Latency float64 `runbook:"latency_seconds" doc:"How long it took to connect, or to fail."`
	Reason  string  `runbook:"reason" doc:"Why none did, such as connection_refused or timeout; empty where one did."`
	Remote  string  `runbook:"remote_address" doc:"Address that accepted; empty where none did."`
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return sdk.InvalidArgument("address", "%q is not a host and port such as db.example.com:5432", address)
	}
	return nil
}

func tcp(ctx context.Context, args TCPArgs, _ *sdk.Call) (Connected, error) {
	if err := checkAddress(args.Address); err != nil {
		return Connected{}, err
	}
	bounded, stop := reach.Early(ctx)
	defer stop()
	began := time.Now()
	conn, err := (&net.Dialer{}).DialContext(bounded, "tcp", args.Address)
	c := Connected{Latency: time.Since(began).Seconds()}
	if err != nil {
		if ctx.Err() == context.Canceled {
			return Connected{}, sdk.Fail("cancelled", "cancelled while connecting to %s", args.Address)
		}
		c.Reason = exchange.Reason(bounded, err)
		c.Result = sdk.NotOK("%s does not accept: %s", args.Address, exchange.Why(bounded, err))
		return c, nil
	}
	defer func() { _ = conn.Close() }()
	c.Remote = conn.RemoteAddr().String()
	c.Result = sdk.OK("%s accepts connections", args.Address)
	return c, nil
}

// TLSArgs is what tls takes.
type TLSArgs struct {
	Address     string        `runbook:"address" doc:"Host and port, such as example.com:443."`
	ServerName  string        `runbook:"server_name,optional" doc:"Name to ask for and to check; without it the address's host."`
	MinValidity time.Duration `runbook:"min_validity" default:"168h" doc:"Not ok where the certificate ends sooner."`
}

// Certificate is the answer of tls.
type Certificate struct {
	sdk.Result
	Latency   float64    `runbook:"latency_seconds" doc:"How long it took to connect and shake hands, or to fail."`
	Reason    string     `runbook:"reason" doc:"Why it is not ok: connection_refused, timeout or the like where there was no handshake; untrusted; expires_soon. Empty where it is ok."`
	Verified  bool       `runbook:"verified" doc:"Whether the certificate is trusted, for this name, and valid now."`
	Problem   string     `runbook:"problem" doc:"Why not; empty where it is."`
	ExpiresAt *time.Time `runbook:"expires_at" doc:"When the first certificate of the chain ends; null where there was no handshake."`
	ExpiresIn *float64   `runbook:"expires_in_seconds" doc:"How long that is from now; negative where it has ended."`
	Subject   string     `runbook:"subject" doc:"Whose certificate it is."`
	Issuer    string     `runbook:"issuer" doc:"Who issued it."`
	Names     []string   `runbook:"names" doc:"Names and addresses it is for."`
	Protocol  string     `runbook:"protocol" doc:"TLS version agreed on."`
}

func (p *provider) tls(ctx context.Context, args TLSArgs, _ *sdk.Call) (Certificate, error) {
	if err := checkAddress(args.Address); err != nil {
		return Certificate{}, err
	}
	roots, err := exchange.Roots(p.config.CAFile)
	if err != nil {
		return Certificate{}, err
	}
	name := args.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(args.Address)
	}
	bounded, stop := reach.Early(ctx)
	defer stop()
	// The chain is verified below: what is wrong with it is the answer.
	dialer := &tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true}} //nolint:gosec
	began := time.Now()
	conn, err := dialer.DialContext(bounded, "tcp", args.Address)
	c := Certificate{Latency: time.Since(began).Seconds()}
	if err != nil {
		if ctx.Err() == context.Canceled {
			return Certificate{}, sdk.Fail("cancelled", "cancelled while connecting to %s", args.Address)
		}
		c.Problem, c.Reason = exchange.Why(bounded, err), exchange.Reason(bounded, err)
		c.Result = sdk.NotOK("no TLS with %s: %s", args.Address, c.Problem)
		return c, nil
	}
	defer func() { _ = conn.Close() }()
	c.describe(conn.(*tls.Conn).ConnectionState(), name, roots)
	c.Reason, c.Result = c.judge(args)
	return c, nil
}

func (c *Certificate) describe(state tls.ConnectionState, name string, roots *x509.CertPool) {
	chain := state.PeerCertificates
	leaf := chain[0]
	c.Protocol = tls.VersionName(state.Version)
	c.Subject, c.Issuer = leaf.Subject.String(), leaf.Issuer.String()
	c.Names = append(c.Names, leaf.DNSNames...)
	for _, address := range leaf.IPAddresses {
		c.Names = append(c.Names, address.String())
	}
	ends := leaf.NotAfter
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
		if certificate.NotAfter.Before(ends) {
			ends = certificate.NotAfter
		}
	}
	left := time.Until(ends).Seconds()
	c.ExpiresAt, c.ExpiresIn = &ends, &left
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between})
	c.Verified = err == nil
	if err != nil {
		c.Problem = strings.TrimPrefix(err.Error(), "x509: ")
	}
}

func (c *Certificate) judge(args TLSArgs) (reason string, _ sdk.Result) {
	told := fmt.Sprintf("the certificate of %s ends %s", args.Address, c.ExpiresAt.UTC().Format(time.RFC3339))
	switch {
	case !c.Verified:
		return "untrusted", sdk.NotOK("%s, and is not to be trusted: %s", told, c.Problem)
	case *c.ExpiresIn < args.MinValidity.Seconds():
		return "expires_soon", sdk.NotOK("%s, in less than %s", told, args.MinValidity)
	}
	return "", sdk.OK("%s", told)
}
