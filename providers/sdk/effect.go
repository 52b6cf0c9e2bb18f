package sdk

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
)

// EffectURL is how effects name what a URL stands for: its host as EffectHost
// has it, without user name, password, query, fragment, and the port that http
// and https have anyway.
func EffectURL(u *url.URL) string {
	host := EffectHost(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port := u.Port(); port != "" && port != standard {
		host += ":" + port
	}
	return (&url.URL{Scheme: u.Scheme, Host: host, Path: u.Path}).String()
}

// DeclaredEffect is one resource that the author of a runbook says an action
// touches, where the action itself cannot know.
type DeclaredEffect struct {
	Resource string `runbook:"resource" doc:"URL without user name and password, such as file:///backups or redis://localhost:6379/0."`
	Mode     string `runbook:"mode" default:"write" doc:"read, write or delete."`
}

// DeclaredEffects are the effects that the argument effects declares, named as
// providers name them, and whether one of them makes the action destructive.
// The failure is of the first that cannot be right; it is left out.
func DeclaredEffects(declared []DeclaredEffect) (effects []schema.Effect, destructive bool, failure *schema.Failure) {
	refuse := func(format string, args ...any) {
		if failure == nil {
			failure = InvalidArgument("effects", format, args...)
		}
	}
	for i, e := range declared {
		u, err := url.Parse(e.Resource)
		mode := schema.Mode(e.Mode)
		switch {
		case err != nil || u.Scheme == "":
			refuse("the resource %s is not a URL such as file:///backups", quoted(i, e.Resource, u))
		case u.User != nil:
			refuse("the resource %s holds a user name or password; leave it out", quoted(i, e.Resource, u))
		case mode != schema.Read && mode != schema.Write && mode != schema.Delete:
			refuse("the mode %q of %s is none of read, write and delete", e.Mode, e.Resource)
		default:
			effects = append(effects, schema.Effect{Resource: named(e.Resource, u), Mode: mode})
			destructive = destructive || mode == schema.Delete
		}
	}
	return effects, destructive, failure
}

// quoted names a resource in a message, by its place where its text may hold a
// password.
func quoted(i int, resource string, u *url.URL) string {
	if u == nil || u.User != nil {
		return fmt.Sprintf("number %d", i+1)
	}
	return fmt.Sprintf("%q", resource)
}

// named puts the host of a declared resource as EffectURL does. What has none,
// such as a file, stays as it was written; so does a query, which may tell
// resources apart.
func named(resource string, u *url.URL) string {
	if u.Host == "" {
		return resource
	}
	text := EffectURL(u)
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	return text
}
