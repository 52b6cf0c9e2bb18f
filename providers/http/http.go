// Package http looks at HTTP endpoints, TCP ports and TLS certificates, and
// sends single requests. It takes an answer for what it says, never a status
// code alone for more, and follows no redirect to another host.
package http

import (
	"context"
	"crypto/tls"
	"net"
	nethttp "net/http"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is what all requests have in common.
type Config struct {
	CAFile    string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
	UserAgent string `runbook:"user_agent" default:"runbook" doc:"User-Agent header."`
}

type provider struct {
	config Config
}

// Provider serves http.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "http", Version: "0.1.0",
		Doc:       "Looks at HTTP endpoints, WebSockets, TCP ports and TLS certificates, and sends requests. It uses no proxy.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("get", getDoc, p.get, sdk.LookByHand(p.getByHand)),
			sdk.NewProbe("websocket", websocketDoc, p.websocket),
			sdk.NewProbe("tcp", tcpDoc, tcp, sdk.LookByHand(tcpByHand)),
			sdk.NewProbe("tls", tlsDoc, p.tls),
		},
		Actions: []sdk.Action{
			sdk.NewAction("request", requestDoc, p.request,
				sdk.Describe(p.describeRequest), sdk.ActByHand(p.requestByHand), sdk.Manual, sdk.MayDestroy),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	p.config = c
	return nil
}

// client makes one exchange on a connection of its own. It uses no proxy of
// the environment, and hands redirects to another host back as answers.
func (p *provider) client() (*nethttp.Client, func(), error) {
	roots, err := exchange.Roots(p.config.CAFile)
	if err != nil {
		return nil, nil, err
	}
	transport := &nethttp.Transport{
		DialContext:            (&net.Dialer{}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: bodyLimit,
	}
	return &nethttp.Client{Transport: transport, CheckRedirect: sameHost}, transport.CloseIdleConnections, nil
}

const redirects = 10

// sameHost follows a redirect within a host, unless it leaves encryption.
func sameHost(next *nethttp.Request, via []*nethttp.Request) error {
	from := via[len(via)-1].URL
	downgrade := from.Scheme == "https" && next.URL.Scheme != "https"
	if next.URL.Hostname() != from.Hostname() || downgrade || len(via) > redirects {
		return nethttp.ErrUseLastResponse
	}
	return nil
}
