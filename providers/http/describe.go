package http

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (p *provider) describeRequest(args RequestArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Settling: schema.Manual}
	switch {
	case args.Idempotent || args.safe():
		d.Settling = schema.Idempotent
	case args.Keyed:
		d.Settling = schema.Keyed
	}
	d.Effects, d.Destructive, d.Failure = sdk.DeclaredEffects(args.Effects)
	own := args.Effects == nil && !call.Unknown("effects") // what it touches is its URL
	d.Undeclared = call.Unknown("effects") || own && call.Unknown("url")
	if args.Method == "DELETE" || call.Unknown("method") {
		d.Destructive = true
	} else if args.Method == "" || args.Method != strings.ToUpper(args.Method) {
		d.Failure = sdk.InvalidArgument("method", "%q is not an HTTP method; they are written in capitals", args.Method)
	}
	if _, _, failure := args.body(); failure != nil {
		d.Failure = failure
	}
	d.Summary = "sends a request"
	if call.Unknown("url") {
		return d
	}
	u, failure := args.address()
	if failure != nil {
		d.Failure = failure
		return d
	}
	if own {
		d.Effects = []schema.Effect{{Resource: sdk.EffectURL(u), Mode: args.mode(call)}}
	}
	if call.Unknown("method") {
		d.Summary = "sends a request to " + exchange.Place(u)
		return d
	}
	d.Summary = args.Method + " " + exchange.Place(u)
	d.Command = args.curl(u, call)
	return d
}

func (a RequestArgs) mode(call *sdk.Call) schema.Mode {
	switch {
	case a.safe():
		return schema.Read
	case a.Method == "DELETE" || call.Unknown("method"):
		return schema.Delete
	}
	return schema.Write
}

// curl is what a person would type. Headers that usually carry secrets, and the
// password, stand as variables.
func (a RequestArgs) curl(u *url.URL, call *sdk.Call) []string {
	line := []string{"curl", "-fsS", "-X", a.Method}
	if a.Method == "HEAD" {
		line = []string{"curl", "-fsS", "--head"} // with -X it would wait for a body
	}
	if a.Username != "" {
		line = append(line, "-u", a.Username+":$HTTP_PASSWORD")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		value := a.Headers[name]
		if secretive(name) {
			value = "$" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		}
		line = append(line, "-H", name+": "+value)
	}
	if a.Keyed {
		line = append(line, "-H", a.KeyHeader+": $IDEMPOTENCY_KEY")
	}
	if call.Unknown("body") || call.Unknown("json") {
		line = append(line, "--data-raw", "$BODY")
	} else if body, kind, failure := a.body(); failure == nil && body != "" {
		if !a.hasHeader("Content-Type") {
			line = append(line, "-H", "Content-Type: "+a.contentType(kind))
		}
		line = append(line, "--data-raw", body) // --data would take @name for a file's
	}
	return append(line, u.String())
}

func (a RequestArgs) contentType(kind string) string {
	if a.ContentType != "" {
		return a.ContentType
	}
	return kind
}

func (a RequestArgs) hasHeader(name string) bool {
	for given := range a.Headers {
		if strings.EqualFold(given, name) {
			return true
		}
	}
	return false
}

func secretive(header string) bool {
	header = strings.ToLower(header)
	return slices.ContainsFunc([]string{"authorization", "cookie", "token", "secret", "key"}, func(part string) bool {
		return strings.Contains(header, part)
	})
}
