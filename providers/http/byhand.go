package http

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// settings is a configuration of curl's for its standard input: headers and a
// password are in no argv.
type settings struct {
	lines  []string
	broken bool // a value that no setting holds
}

func (s *settings) set(name, value string) {
	if strings.ContainsAny(value, "\r\n\x00") {
		s.broken = true
	}
	s.lines = append(s.lines, name+` = "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`)
}

func (p *provider) curlSettings(t Target) (*settings, bool) {
	s := &settings{}
	u, failure := t.address()
	if failure != nil {
		return s, false
	}
	s.set("url", u.String())
	s.set("user-agent", p.config.UserAgent)
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		s.set("header", name+": "+t.Headers[name])
	}
	if t.Username != "" || t.Password != "" {
		s.set("user", t.Username+":"+t.Password)
	}
	if p.config.CAFile != "" {
		s.set("cacert", p.config.CAFile)
	}
	return s, !s.broken
}

// answered makes an answer of what curl printed: the body, and the status on a
// line of its own.
const answered = `(.stdout | split("\n")) as $lines | ($lines | last | split(" ")) as $told | ($told[0] | tonumber) as $status | ($lines[:-1] | join("\n")) as $body` +
	` | ($told[1] // "" | ascii_downcase | split(";")[0] // "") as $kind | ($kind == "application/json" or ($kind | endswith("+json"))) as $says` +
	` | (if $says then ($body | try [fromjson] catch null) else null end) as $json | `

// judged makes a result of it. A redirect is not followed here, so that nobody
// can tell what is behind one.
func judged(expected string, more string) string {
	return answered + `(` + expected + `) as $expected | if ($expected | not) and $status >= 300 and $status < 400 then error("it redirects with \($status)") else` +
		` {ok: ($expected` + more + `), $status, $body, json: ($json[0]? // null), summary: "it answered \($status)"} end`
}

// curl reads its settings from standard input, and no proxy's, as this provider.
func curl(s *settings, more ...string) schema.ByHand {
	return schema.ByHand{
		Command: slices.Concat([]string{"curl", "-q", "-sS", "--noproxy", "*", "--config", "-", "-w", `\n%{http_code} %{content_type}`}, more),
		Stdin:   strings.Join(s.lines, "\n") + "\n",
	}
}

func (p *provider) getByHand(args GetArgs, _ *sdk.Call) schema.ByHand {
	s, ok := p.curlSettings(args.Target)
	expected, err := json.Marshal(args.Status)
	if !ok || err != nil || args.BodyPattern != "" { // RE2 and the patterns of jq differ
		return schema.ByHand{}
	}
	hand := curl(s)
	hand.Result = `if .exit_code != 0 then {ok: false, status: null, body: "", json: null, summary: (.stderr | split("\n")[0])} else ` +
		judged(string(expected)+` | any(.[]; . == $status)`, ` and ($says and $json == null and $body != "" | not)`) + ` end`
	hand.Gives = []string{"status", "body", "json"}
	return hand
}

func (p *provider) requestByHand(args RequestArgs, _ *sdk.Call) schema.ByHand {
	s, ok := p.curlSettings(args.Target)
	body, kind, failure := args.body()
	expected, err := json.Marshal(args.Status)
	if !ok || failure != nil || err != nil || args.Keyed || strings.ContainsRune(args.Method, '"') {
		return schema.ByHand{}
	}
	accepted := string(expected) + ` | any(.[]; . == $status)`
	if len(args.Status) == 0 {
		accepted = `$status >= 200 and $status < 300`
	}
	s.set("request", args.Method)
	if args.Method == "HEAD" {
		s.lines[len(s.lines)-1] = "head"
	}
	if body != "" {
		if !args.hasHeader("Content-Type") {
			s.set("header", "Content-Type: "+args.contentType(kind))
		}
		s.lines = append(s.lines, "data-raw = "+configText(body))
	}
	hand := curl(s)
	hand.Result = `if .exit_code != 0 then {ok: false, status: null, body: "", json: null, summary: (.stderr | split("\n")[0])} else ` + judged(accepted, "") + ` end`
	hand.Gives = []string{"status", "body", "json"}
	return hand
}

// configText is a text of several lines as curl reads it in a configuration.
func configText(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + `"`
}

func tcpByHand(args TCPArgs, _ *sdk.Call) schema.ByHand {
	host, port, err := net.SplitHostPort(args.Address)
	if _, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" {
		return schema.ByHand{}
	}
	return schema.ByHand{
		Command: []string{"bash", "-c", `exec 3<>"/dev/tcp/$1/$2"`, "tcp", host, port},
		Result:  fmt.Sprintf(`{ok: (.exit_code == 0), summary: (if .exit_code == 0 then %q else (.stderr | split("\n")[0]) end)}`, "it accepts connections"),
	}
}
