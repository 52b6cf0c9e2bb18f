package feast

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// resources are a repository's stores as effects name them. Without a look into
// feature_store.yaml they are what the configuration says, else nothing.
type resources struct {
	repo, online, offline string
}

func (p *provider) resources() resources {
	return resources{
		repo:    (&url.URL{Scheme: "feast", Host: sdk.EffectHost(""), Path: p.config.Repo}).String(),
		online:  resource(p.config.OnlineStore),
		offline: resource(p.config.OfflineStore),
	}
}

// seen takes what feature_store.yaml says; the configuration only promised it.
func (r resources) seen(online, offline string) resources {
	if online != "" {
		r.online = resource(online)
	}
	if offline != "" {
		r.offline = resource(offline)
	}
	return r
}

// materializing reads the source, writes the online store and the registry.
func (r resources) materializing() []schema.Effect {
	return r.effects(schema.Write, schema.Write, schema.Read)
}

// effects are the modes in which the repository and its stores are touched; an
// empty mode is none. A store whose URL is not known counts as a part of the
// repository.
func (r resources) effects(repo, online, offline schema.Mode) []schema.Effect {
	var list []schema.Effect
	for _, e := range []schema.Effect{
		{Resource: r.repo + "/registry", Mode: repo},
		{Resource: firstOf(r.online, r.repo+"/online_store"), Mode: online},
		{Resource: firstOf(r.offline, r.repo+"/offline_store"), Mode: offline},
	} {
		if e.Mode != "" {
			list = append(list, e)
		}
	}
	return slices.Clip(list)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// resource is a store's URL as effects name it; one that cannot be read stays
// as it is.
func resource(text string) string {
	u, err := url.Parse(text)
	if err != nil || text == "" || u.Scheme == "file" {
		return text
	}
	if u.Scheme == "postgresql" {
		u.Scheme = "postgres"
	}
	return sdk.EffectURL(u)
}

// feast is the command line that a person would use.
func (p *provider) feast(words ...string) []string {
	program := "feast"
	if strings.Contains(p.config.Python, "/") {
		program = filepath.Join(filepath.Dir(p.config.Python), "feast")
	}
	return append([]string{program, "-c", p.config.Repo}, words...)
}
