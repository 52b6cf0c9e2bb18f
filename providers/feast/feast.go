// Package feast looks after a Feast feature repository: what its registry
// holds, how old and how complete the values online are, and the
// materializations that mend them. It talks to the repository's own Feast
// through a small Python program (folder helper): one long-lived process answers
// probes, each in a forked child, and each action runs in a process of its own.
// It leaves what lies in PostgreSQL and Redis besides Feast's values to their
// own providers.
//
// What it knows of Feast was measured on 0.67, and each fact has its test.
package feast

import (
	"context"
	"net/url"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is which repository, and how to run its Feast.
type Config struct {
	Repo         string            `runbook:"repo" doc:"Folder of the feature repository, which holds feature_store.yaml. A relative one starts from the runbook's folder."`
	Python       string            `runbook:"python" default:"python3" doc:"Interpreter of the environment that Feast is installed in. A relative path, such as .venv/bin/python, starts from the runbook's folder."`
	Env          map[string]string `runbook:"env,optional,sensitive" doc:"Environment variables for Feast, such as those that feature_store.yaml names. Nothing is inherited but PATH, HOME and LANG."`
	Server       string            `runbook:"server,optional" doc:"URL of the feature server, for server_health."`
	OnlineStore  string            `runbook:"online_store,optional" doc:"URL of the online store, such as redis://localhost:6379/0: lets plans know what is written without looking into feature_store.yaml."`
	OfflineStore string            `runbook:"offline_store,optional" doc:"URL of the offline store, such as postgres://localhost:5432/features, likewise."`
}

type provider struct {
	config  Config
	helper  *helper // answers what it can without the definitions
	checked *helper // answers about definitions
}

// Provider serves feast.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "feast", Version: "0.1.0",
		Doc:       "Looks after a Feast feature repository: its registry, its online store, its materializations.",
		Configure: sdk.Configure(p.configure),
		Environ:   p.environ,
		Close:     p.close,
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("registry", registryDoc, p.registry, sdk.LookByHand(p.registryByHand)),
			sdk.NewProbe("freshness", freshnessDoc, p.freshness, sdk.LookByHand(p.freshnessByHand)),
			sdk.NewProbe("sync", syncDoc, p.sync),
			sdk.NewProbe("online_features", onlineFeaturesDoc, p.onlineFeatures, sdk.LookByHand(p.onlineFeaturesByHand)),
			sdk.NewProbe("online_keys", onlineKeysDoc, p.onlineKeys),
			sdk.NewProbe("plan", planDoc, p.plan),
			sdk.NewProbe("server_health", serverHealthDoc, p.serverHealth),
		},
		Actions: []sdk.Action{
			sdk.NewAction("apply", applyDoc, p.apply,
				sdk.Describe(p.describeApply), sdk.Preview(p.previewApply),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("changes", "deletions")),
			sdk.NewAction("materialize", materializeDoc, p.materialize,
				sdk.Describe(p.describeMaterialize), sdk.Preview(p.previewMaterialize),
				sdk.Idempotent, sdk.Counts("rows", "keys")),
			sdk.NewAction("materialize_incremental", incrementalDoc, p.incremental,
				sdk.Describe(p.describeIncremental), sdk.Preview(p.previewIncremental),
				sdk.Idempotent, sdk.Counts("rows", "keys")),
			sdk.NewAction("purge_view", purgeDoc, p.purge,
				sdk.Describe(p.describePurge), sdk.Preview(p.previewPurge),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("keys")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	if c.Repo == "" {
		return sdk.InvalidArgument("repo", "the folder of the feature repository is not given")
	}
	if c.Python == "" {
		return sdk.InvalidArgument("python", "the interpreter is empty")
	}
	c.Repo = sdk.Path(ctx, c.Repo)
	if strings.Contains(c.Python, "/") { // else it is looked up in PATH
		c.Python = sdk.Path(ctx, c.Python)
	}
	for argument, text := range map[string]string{"server": c.Server, "online_store": c.OnlineStore, "offline_store": c.OfflineStore} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme == "" || u.Host == "" && u.Path == "") {
			return sdk.InvalidArgument(argument, "%s is not a URL", argument)
		} else if text != "" && u.User != nil {
			return sdk.InvalidArgument(argument, "%s holds a user name or password; leave it out", argument)
		}
	}
	p.config = c
	p.helper = &helper{config: c}
	p.checked = &helper{config: c, mode: mode{Checked: true}}
	return nil
}

func (p *provider) close() error {
	if p.helper != nil {
		p.helper.close()
		p.checked.close()
	}
	return nil
}
