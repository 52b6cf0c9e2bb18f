// Package email sends mail by SMTP: over TLS, by STARTTLS where the server has it,
// or in the clear where that is asked for. A message bears the key of run and step
// as its Message-ID.
package email

import (
	"context"
	"net"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how the mail server is reached.
type Config struct {
	Host     string `runbook:"host" doc:"Mail server."`
	Port     int    `runbook:"port" default:"587" doc:"Its port: 587 for STARTTLS, 465 for TLS, 25 for a relay."`
	TLS      string `runbook:"tls" default:"starttls" doc:"starttls, tls from the first byte, or none. With none a password is only sent to this machine itself."`
	Username string `runbook:"username,optional" doc:"User to log in as; without one nobody logs in."`
	Password string `runbook:"password,optional,sensitive" doc:"The user's password."`
	From     string `runbook:"from" doc:"Sender, such as runbook@example.com or \"Runbook <runbook@example.com>\"."`
	CAFile   string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
}

// Provider serves email.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "email", Version: "0.1.0",
		Doc:       "Sends mail by SMTP.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Actions: []sdk.Action{
			sdk.NewAction("send", sendDoc, p.send, sdk.Describe(p.describeSend), sdk.Manual),
		},
	}
}

// The kinds of encryption.
const (
	startTLS  = "starttls"
	directTLS = "tls"
	noTLS     = "none"
)

func (p *provider) configure(_ context.Context, c Config) error {
	switch {
	case c.TLS != startTLS && c.TLS != directTLS && c.TLS != noTLS:
		return sdk.InvalidArgument("tls", "%q is none of starttls, tls and none", c.TLS)
	case c.Port < 1 || c.Port > 65535:
		return sdk.InvalidArgument("port", "%d is no port", c.Port)
	case (c.Username == "") != (c.Password == ""):
		return sdk.InvalidArgument("password", "username and password are given together, or neither")
	case c.TLS == noTLS && c.Password != "" && !loopback(c.Host):
		return sdk.InvalidArgument("tls", "with tls = \"none\" the password would cross the network in the clear")
	}
	if _, failure := address("from", c.From); failure != nil {
		return failure
	}
	p.config = c
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
