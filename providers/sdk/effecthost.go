package sdk

import (
	"net/netip"
	"os"
	"strings"
)

// EffectHost is how effects name a host: a loopback name or address, a unix
// socket's path and an empty name become this machine's own name, so that two
// machines' "localhost" are never taken for one resource. Everything else is
// put in lower case. Without a host name of its own the machine is "localhost".
func EffectHost(host string) string {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	local := name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasPrefix(name, "/") ||
		err == nil && (address.IsLoopback() || address.IsUnspecified())
	if !local {
		return name
	}
	if own, err := os.Hostname(); err == nil && own != "" {
		return strings.ToLower(own)
	}
	return "localhost"
}
