package redis

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// environ is where redis-cli reads the password.
func (p *provider) environ() map[string]string {
	if p.config.Password == "" {
		return map[string]string{}
	}
	return map[string]string{"REDISCLI_AUTH": p.config.Password}
}

// failed makes an error of what redis-cli says instead of an answer. It goes on
// where the database cannot be selected, in database 0, and says so on stderr.
const failed = `if .exit_code != 0 or .stderr != "" then error(.stderr + .stdout | split("\n")[0]) else (.stdout | rtrimstr("\n")) end | `

// guarded is a command that is not given where the database, or the user, is not
// the one that it is meant for: redis-cli would give it in another.
func (p *provider) guarded(command []string) schema.ByHand {
	if len(command) == 0 || p.config.DB == 0 {
		return schema.ByHand{Command: command}
	}
	const guard = `said=$("${@:1:$0}" PING 2>&1); [ "$said" = PONG ] || { printf '%s\n' "$said" >&2; exit 1; }; shift "$0"; exec "$@"`
	base := p.cli()
	return schema.ByHand{Command: slices.Concat([]string{"bash", "-c", guard, strconv.Itoa(len(base))}, base, command)}
}

func (p *provider) flushdbByHand(args flushdbArgs, call *sdk.Call) schema.ByHand {
	if len(args.RequirePrefix) > 0 {
		return schema.ByHand{} // redis-cli asks for none
	}
	return p.guarded(p.describeFlushdb(args, call).Command)
}

func (p *provider) deletePatternByHand(args deletePatternArgs, call *sdk.Call) schema.ByHand {
	return p.guarded(p.describeDeletePattern(args, call).Command)
}

func (p *provider) setByHand(args setArgs, call *sdk.Call) schema.ByHand {
	return p.guarded(p.describeSet(args, call).Command)
}

func (p *provider) bgsaveByHand(args bgsaveArgs, call *sdk.Call) schema.ByHand {
	return p.guarded(p.describeBgsave(args, call).Command)
}

func (p *provider) pingByHand(pingArgs, *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: p.cli("PING"),
		Result:  `{ok: (.exit_code == 0 and .stderr == "" and (.stdout | rtrimstr("\n")) == "PONG"), summary: (.stderr + .stdout | split("\n")[0])}`,
	}
}

func (p *provider) getByHand(args keyArgs, _ *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: p.cli("EXISTS", args.Key),
		Result:  failed + `{ok: (. == "1"), exists: (. == "1"), summary: (if . == "1" then "the key exists" else "the key does not exist" end)}`,
		Gives:   []string{"exists"},
	}
}

func (p *provider) ttlByHand(args keyArgs, _ *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: p.cli("PTTL", args.Key),
		Result: failed + `tonumber | {ok: (. != -2), exists: (. != -2), ttl_seconds: (if . < 0 then null else . / 1000 end),` +
			` summary: (if . == -2 then "the key does not exist" elif . == -1 then "it never expires" else "it expires in \(. / 1000) s" end)}`,
		Gives: []string{"exists", "ttl_seconds"},
	}
}

func (p *provider) keyCountByHand(args keyCountArgs, _ *sdk.Call) schema.ByHand {
	if args.Pattern == "" {
		return schema.ByHand{}
	}
	most := ""
	if args.Max != nil {
		most = fmt.Sprintf(" and . <= %d", *args.Max)
	}
	return schema.ByHand{
		Command: p.cli("--scan", "--pattern", args.Pattern),
		Result: failed + fmt.Sprintf(`split("\n") | map(select(. != "")) | unique | length | {ok: (. >= %d%s), keys: ., summary: "\(.) keys match"}`,
			args.Min, most),
		Gives: []string{"keys"},
	}
}

func (p *provider) dbsizeByHand(dbsizeArgs, *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: p.cli("DBSIZE"),
		Result:  failed + `ltrimstr("(integer) ") | tonumber | {ok: (. > 0), keys: ., summary: "the database holds \(.) keys"}`,
		Gives:   []string{"keys"},
	}
}

func (p *provider) pubsubByHand(args pubsubArgs, _ *sdk.Call) schema.ByHand {
	return schema.ByHand{
		Command: p.cli("PUBSUB", "NUMSUB", args.Channel),
		Result: failed + fmt.Sprintf(`split("\n") | last | ltrimstr("(integer) ") | tonumber | {ok: (. >= %d), subscribers: ., summary: "\(.) subscribers"}`,
			args.MinSubscribers),
		Gives: []string{"subscribers"},
	}
}
