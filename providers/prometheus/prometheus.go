// Package prometheus looks at what a Prometheus knows: queries, alerts, rules and
// targets. An answer without data is no answer: it is an error, and never health.
package prometheus

import (
	"context"
	"net/url"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how the server is reached.
type Config struct {
	URL      string `runbook:"url" default:"http://localhost:9090" doc:"Where the server is; the path before /api too."`
	Username string `runbook:"username,optional" doc:"User name for basic authentication."`
	Password string `runbook:"password,optional,sensitive" doc:"Password for basic authentication."`
	Token    string `runbook:"token,optional,sensitive" doc:"Sent as Authorization: Bearer, instead of a password."`
	CAFile   string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
	base   *url.URL
}

// Provider serves prometheus.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "prometheus", Version: "0.1.0",
		Doc:       "Looks at what Prometheus knows: queries, alerts, rules and targets. No data is an error, never health. It uses no proxy.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("query", queryDoc, p.query),
			sdk.NewProbe("alerts", alertsDoc, p.alerts),
			sdk.NewProbe("rules", rulesDoc, p.rules),
			sdk.NewProbe("targets", targetsDoc, p.targets),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return sdk.InvalidArgument("url", "the URL must begin with http:// or https:// and name a host")
	case u.User != nil || u.RawQuery != "":
		return sdk.InvalidArgument("url", "the URL holds a user name or a query; use username and password instead")
	case c.Token != "" && (c.Username != "" || c.Password != ""):
		return sdk.InvalidArgument("token", "token and password are both given; one of them is sent")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	p.config, p.base = c, u
	return nil
}
