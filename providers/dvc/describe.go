package dvc

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// fileURL names a file or folder in effects.
func fileURL(path ...string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(path...)}).String()
}

// command is what a person would type.
func (p *provider) command(args ...string) []string {
	return slices.Concat([]string{"env", "-C", p.config.Repo, p.config.DVC}, args)
}

// unseen names a remote of which nothing is known but what the repository calls
// it.
func (p *provider) unseen(name string, call *sdk.Call) string {
	if call.Unknown("remote") {
		name = ""
	}
	return fileURL(p.config.Repo, ".dvc", "remotes", name)
}

func (p *provider) cacheEffect(mode schema.Mode) schema.Effect {
	return schema.Effect{Resource: fileURL(p.config.Repo, ".dvc", "cache"), Mode: mode}
}

func (p *provider) workspaceEffect(mode schema.Mode) schema.Effect {
	return schema.Effect{Resource: fileURL(p.config.Repo), Mode: mode}
}

// effect names what a remote is.
func (r *repository) effect(name string, mode schema.Mode) schema.Effect {
	remote := r.settings.remotes[name]
	where := remote["url"]
	bucket, isS3 := strings.CutPrefix(where, "s3://")
	if !isS3 {
		return schema.Effect{Resource: fileURL(where), Mode: mode}
	}
	resource := "s3://s3.amazonaws.com/" + bucket
	if u, err := url.Parse(remote["endpointurl"]); err == nil && u.Host != "" {
		at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + bucket}
		_, rest, _ := strings.Cut(sdk.EffectURL(at), "://")
		resource = "s3://" + rest
	}
	return schema.Effect{Resource: strings.TrimRight(resource, "/"), Mode: mode}
}

// cached is the effect on the cache that is really used.
func (r *repository) cached(mode schema.Mode) schema.Effect {
	return schema.Effect{Resource: fileURL(r.settings.cache), Mode: mode}
}

// remoteOption is how a command line names a remote.
func remoteOption(name string, call *sdk.Call) []string {
	switch {
	case call.Unknown("remote"):
		return []string{"--remote", "$REMOTE"}
	case name == "":
		return nil
	}
	return []string{"--remote", name}
}
