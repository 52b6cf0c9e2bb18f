// Package airflow looks at Apache Airflow and starts DAG runs, by its REST API:
// v2 of Airflow 3, v1 of Airflow 2. A run that it triggers has an ID made of the
// key of run and step, so that a second attempt makes no second run.
package airflow

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how Airflow is reached.
type Config struct {
	URL      string `runbook:"url" default:"http://localhost:8080" doc:"Where the web server is, without /api."`
	API      string `runbook:"api" default:"auto" doc:"v1 (Airflow 2), v2 (Airflow 3), or auto, which asks the server."`
	Username string `runbook:"username,optional" doc:"User to log in as: by basic authentication for v1, for a token of /auth/token for v2."`
	Password string `runbook:"password,optional,sensitive" doc:"The user's password."`
	Token    string `runbook:"token,optional,sensitive" doc:"Sent as Authorization: Bearer, instead of a user and a password."`
	CAFile   string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
	base   *url.URL

	mu    sync.Mutex
	api   string // v1 or v2, once it is known
	token string // that v2 gave for user and password; empty: none yet
}

// Provider serves airflow.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "airflow", Version: "0.1.0",
		Doc:       "Looks at Apache Airflow, starts DAG runs and waits for them, by its REST API v1 or v2. It uses no proxy.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("health", healthDoc, p.health),
			sdk.NewProbe("dag_run", dagRunDoc, p.dagRun),
			sdk.NewProbe("dags", dagsDoc, p.dags),
		},
		Actions: []sdk.Action{
			sdk.NewAction("trigger", triggerDoc, p.trigger, sdk.Describe(p.describeTrigger), sdk.Settle(p.settleTrigger), sdk.Keyed),
			sdk.NewAction("clear", clearDoc, p.clear, sdk.Describe(p.describeClear), sdk.Preview(p.previewClear), sdk.Counts("tasks"), sdk.Manual),
			sdk.NewAction("pause", pauseDoc, p.pause, sdk.Describe(p.describePause), sdk.Idempotent),
			sdk.NewAction("unpause", unpauseDoc, p.unpause, sdk.Describe(p.describeUnpause), sdk.Idempotent),
		},
	}
}

// The versions of the API.
const (
	v1   = "v1"
	v2   = "v2"
	auto = "auto"
)

func (p *provider) configure(_ context.Context, c Config) error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return sdk.InvalidArgument("url", "the URL must begin with http:// or https:// and name a host")
	case u.User != nil || u.RawQuery != "":
		return sdk.InvalidArgument("url", "the URL holds a user name or a query; use username and password instead")
	case c.API != v1 && c.API != v2 && c.API != auto:
		return sdk.InvalidArgument("api", "%q is none of v1, v2 and auto", c.API)
	case c.Token != "" && c.Password != "":
		return sdk.InvalidArgument("token", "token and password are both given; one of them is sent")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	p.config, p.base, p.api, p.token = c, u, "", ""
	if c.API != auto {
		p.api = c.API
	}
	return nil
}
