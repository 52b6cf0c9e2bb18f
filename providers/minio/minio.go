// Package minio looks into buckets and moves what they hold: on MinIO, and on
// any server that speaks S3. What it copies it verifies by size and hash, at the
// place where it was copied to; what it deletes it counts first. The figures of
// MinIO's own usage scanner lag behind and are never asked.
package minio

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Site is a server and who asks it.
type Site struct {
	Endpoint     string `runbook:"endpoint" doc:"URL of the server, such as http://minio:9000 or https://s3.eu-west-1.amazonaws.com; no user name or path in it."`
	AccessKey    string `runbook:"access_key,optional" doc:"Access key; without one nothing is signed, as for public buckets."`
	SecretKey    string `runbook:"secret_key,optional,sensitive" doc:"Secret of the access key."`
	SessionToken string `runbook:"session_token,optional,sensitive" doc:"Token of temporary credentials."`
	Region       string `runbook:"region" default:"us-east-1" doc:"Region of the buckets; MinIO's own is us-east-1."`
}

// OtherSite is a server beside the provider's own. Its secret is elsewhere, where
// it can be marked as one.
type OtherSite struct {
	Endpoint  string `runbook:"endpoint" doc:"URL of the server."`
	AccessKey string `runbook:"access_key,optional" doc:"Access key; its secret is in secret_keys."`
	Region    string `runbook:"region" default:"us-east-1" doc:"Region of the buckets."`
}

// Config is the server, how long it may take, and which others there are.
type Config struct {
	Site
	Alias          string               `runbook:"alias" default:"minio" doc:"The server's name in mc's configuration, for the equivalent commands that are shown."`
	Sites          map[string]OtherSite `runbook:"sites,optional" doc:"Other servers to copy from and to, by name: the site of a place. Each name is taken for its alias in mc."`
	SecretKeys     map[string]string    `runbook:"secret_keys,optional,sensitive" doc:"Secrets of the access keys of sites, by the site's name."`
	CAFile         string               `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
	ConnectTimeout time.Duration        `runbook:"connect_timeout" default:"5s" doc:"Bound of connecting."`
	AnswerTimeout  time.Duration        `runbook:"answer_timeout" default:"1m" doc:"How long a server may say nothing in the middle of a request."`
	PartSize       int64                `runbook:"part_size" default:"536870912" doc:"Objects of more bytes are written in parts of so many, at least 5 MiB."`
}

type provider struct {
	config Config
	dir    string // the runbook's folder
}

// Provider serves MinIO and S3.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "minio", Version: "0.1.0",
		Doc:       "Looks into buckets of MinIO or any S3 server, copies and mirrors them with proof, and cleans up what is old with counted, bounded impact.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("health", healthDoc, p.health),
			sdk.NewProbe("bucket", bucketDoc, p.bucket),
			sdk.NewProbe("object", objectDoc, p.object),
			sdk.NewProbe("objects", objectsDoc, p.objects),
			sdk.NewProbe("capacity", capacityDoc, p.capacity),
			sdk.NewProbe("versioning", versioningDoc, p.versioning),
			sdk.NewProbe("lifecycle", lifecycleDoc, p.lifecycle),
		},
		Actions: []sdk.Action{
			sdk.NewAction("make_bucket", makeBucketDoc, p.makeBucket,
				sdk.Describe(p.describeMakeBucket), sdk.Preview(p.previewMakeBucket),
				sdk.Idempotent, sdk.Counts("buckets")),
			sdk.NewAction("mirror", mirrorDoc, p.mirror,
				sdk.Describe(p.describeMirror), sdk.Preview(p.previewMirror),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(mirrorUnits()...), sdk.Enforces(mirrorUnits()...)),
			sdk.NewAction("copy", copyDoc, p.copy,
				sdk.Describe(p.describeCopy), sdk.Preview(p.previewCopy),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(copyUnits()...), sdk.Enforces(copyUnits()...)),
			sdk.NewAction("remove_older_than", removeDoc, p.remove,
				sdk.Describe(p.describeRemove), sdk.Preview(p.previewRemove),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects", "bytes"), sdk.Enforces("objects", "bytes")),
			sdk.NewAction("lifecycle_rule", ruleDoc, p.rule,
				sdk.Describe(p.describeRule), sdk.Preview(p.previewRule),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects", "bytes")),
			sdk.NewAction("heal", healDoc, p.heal,
				sdk.Describe(p.describeHeal), sdk.Preview(p.previewHeal),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	if f := c.Site.check(""); f != nil {
		return f
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sites)) {
		if f := c.other(name).check(name); f != nil {
			return f
		}
	}
	for name := range c.SecretKeys {
		if _, known := c.Sites[name]; !known {
			return sdk.InvalidArgument("secret_keys", "secret_keys names %q, and sites does not", name)
		}
	}
	switch {
	case c.ConnectTimeout <= 0:
		return sdk.InvalidArgument("connect_timeout", "connect_timeout must be positive, got %s", c.ConnectTimeout)
	case c.AnswerTimeout <= 0:
		return sdk.InvalidArgument("answer_timeout", "answer_timeout must be positive, got %s", c.AnswerTimeout)
	case c.PartSize < minPart || c.PartSize > maxPart:
		return sdk.InvalidArgument("part_size", "part_size must be from %d to %d, got %d", minPart, maxPart, c.PartSize)
	}
	p.config, p.dir = c, sdk.Path(ctx, ".")
	return nil
}

// other is one of the sites, with its secret.
func (c Config) other(name string) Site {
	o := c.Sites[name]
	return Site{Endpoint: o.Endpoint, AccessKey: o.AccessKey, SecretKey: c.SecretKeys[name], Region: o.Region}
}

// What S3 lets a part, and an object in one piece, be.
const (
	minPart = 5 << 20
	maxPart = 5 << 30
)

// check says what is wrong with a site; a name is that of one of the others.
func (s Site) check(name string) *schema.Failure {
	argument, of := "endpoint", ""
	if name != "" {
		argument, of = "sites", " of the site "+name
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil:
		return sdk.InvalidArgument(argument, "the endpoint%s is not a URL such as http://minio:9000", of)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return sdk.InvalidArgument(argument, "the endpoint%s must begin with http:// or https:// and name a host", of)
	case u.User != nil:
		return sdk.InvalidArgument(argument, "the endpoint%s holds a user name; use access_key and secret_key instead", of)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "":
		return sdk.InvalidArgument(argument, "the endpoint%s has a path; buckets are named by each probe and action", of)
	case (s.AccessKey == "") != (s.SecretKey == ""):
		return sdk.InvalidArgument(argument, "give both an access key and its secret%s, or neither", of)
	}
	return nil
}
