// Package redis looks into a Redis database and changes its keys: reachability,
// single keys, counts by pattern, memory and persistence on the one side;
// deleting by pattern, flushing, setting and saving on the other. It opens one
// connection for each call, so that every look is a look at the server as it is
// now, and never repeats a command by itself. Clusters and sentinels are left
// to providers of their own.
package redis

import (
	"context"
	"sync"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is where the database is and who asks.
type Config struct {
	Host           string        `runbook:"host" doc:"Host name or address."`
	Port           int           `runbook:"port" doc:"TCP port." default:"6379"`
	DB             int           `runbook:"db" doc:"Number of the database." default:"0"`
	Username       string        `runbook:"username,optional" doc:"ACL user; without one the default user."`
	Password       string        `runbook:"password,optional,sensitive" doc:"Password of the user, or of requirepass."`
	TLS            bool          `runbook:"tls" doc:"Whether to speak TLS." default:"false"`
	ConnectTimeout time.Duration `runbook:"connect_timeout" doc:"Bound of connecting and logging in." default:"5s"`
}

type provider struct {
	config Config
	quiet  sync.Once
}

// Provider returns a Redis provider that is not configured yet.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name:      "redis",
		Version:   "0.1.0",
		Doc:       "Looks into a Redis database, and deletes, flushes, sets and saves keys with counted, bounded impact.",
		Configure: sdk.Configure(p.configure),
		Environ:   p.environ,
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("ping", pingDoc, p.ping, sdk.LookByHand(p.pingByHand)),
			sdk.NewProbe("get", getDoc, p.get, sdk.LookByHand(p.getByHand)),
			sdk.NewProbe("ttl", ttlDoc, p.ttl, sdk.LookByHand(p.ttlByHand)),
			sdk.NewProbe("key_count", keyCountDoc, p.keyCount, sdk.LookByHand(p.keyCountByHand)),
			sdk.NewProbe("dbsize", dbsizeDoc, p.dbsize, sdk.LookByHand(p.dbsizeByHand)),
			sdk.NewProbe("pubsub", pubsubDoc, p.pubsub, sdk.LookByHand(p.pubsubByHand)),
			sdk.NewProbe("info", infoDoc, p.info),
		},
		Actions: []sdk.Action{
			sdk.NewAction("delete_pattern", deletePatternDoc, p.deletePattern,
				sdk.Describe(p.describeDeletePattern), sdk.ActByHand(p.deletePatternByHand), sdk.Preview(p.previewDeletePattern),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("keys"), sdk.Enforces("keys")),
			sdk.NewAction("flushdb", flushdbDoc, p.flushdb,
				sdk.Describe(p.describeFlushdb), sdk.ActByHand(p.flushdbByHand), sdk.Preview(p.previewFlushdb),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("keys"), sdk.Enforces("keys")),
			sdk.NewAction("set", setDoc, p.set,
				sdk.Describe(p.describeSet), sdk.ActByHand(p.setByHand), sdk.Preview(p.previewSet),
				sdk.Idempotent, sdk.Counts("keys")),
			sdk.NewAction("bgsave", bgsaveDoc, p.bgsave,
				sdk.Describe(p.describeBgsave), sdk.ActByHand(p.bgsaveByHand), sdk.Preview(p.previewBgsave),
				sdk.Idempotent, sdk.Counts("keys")),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	if f := reach.Check(c.Host, c.Port, c.ConnectTimeout); f != nil {
		return f
	}
	if c.DB < 0 {
		return sdk.InvalidArgument("db", "db must not be negative, got %d", c.DB)
	}
	p.config = c
	return nil
}
