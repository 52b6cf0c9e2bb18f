package feast

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// lookProgram is what a person looks with, where this provider cannot: as long as
// can be read, and with nothing of it needed.
//
//go:embed look.py
var lookProgram string

// environ is what Feast reads from its environment.
func (p *provider) environ() map[string]string {
	env := map[string]string{"PGCONNECT_TIMEOUT": "10", "PYTHONWARNINGS": "ignore"}
	maps.Copy(env, p.config.Env)
	return env
}

// look runs the program on standard input; result is a jq program over what it
// prints.
func (p *provider) look(what string, args map[string]any, result string, gives ...string) schema.ByHand {
	given, err := json.Marshal(args)
	if err != nil {
		return schema.ByHand{}
	}
	return schema.ByHand{
		Command: []string{p.config.Python, "-", what, p.config.Repo, string(given)},
		Stdin:   lookProgram,
		Result: `if .exit_code != 0 then error(.stderr | rtrimstr("\n") | split("\n") | last) else ` +
			`(.stdout | split("\n") | map(select(startswith("{"))) | last | fromjson) end | ` + result,
		Gives: gives,
	}
}

func (p *provider) registryByHand(NoArgs, *sdk.Call) schema.ByHand {
	return p.look("registry", map[string]any{},
		`. + {ok: (.feature_views != []), summary: (if .feature_views == [] then "the registry holds no feature view" else "the registry holds \(.feature_views | join(", "))" end)}`,
		"exists", "project", "feature_views")
}

func (p *provider) freshnessByHand(args FreshnessArgs, _ *sdk.Call) schema.ByHand {
	entities, err := document(args.Entities)
	if err != nil {
		return schema.ByHand{}
	}
	old := "false"
	if args.MaxAge != nil {
		old = fmt.Sprintf(".age_seconds > %g", args.MaxAge.Seconds())
	}
	given := map[string]any{"feature_view": args.FeatureView, "entities": entities}
	return p.look("freshness", given, fmt.Sprintf(
		`. + (if .entities == 0 then {ok: false, summary: "there is no entity to look for"}`+
			` elif .missing > 0 then {ok: false, summary: "the online store holds \(.entities - .missing) of \(.entities) entities"}`+
			` elif .ahead_seconds > %g then {ok: false, summary: "the newest value is of \(.newest), in the future"}`+
			` elif .servable != true then {ok: false, summary: "it is \(.state), and Feast does not serve it"}`+
			` else {ok: (%s | not), summary: "the oldest value is \(.age_seconds | floor) s old"} end)`, tolerance.Seconds(), old),
		"age_seconds", "entities", "missing", "oldest", "newest", "state", "servable", "watermark")
}

func (p *provider) onlineFeaturesByHand(args OnlineFeaturesArgs, _ *sdk.Call) schema.ByHand {
	entities, err := document(args.Entities)
	if err != nil || args.Entities == cty.NilVal {
		return schema.ByHand{}
	}
	return p.look("online_features", map[string]any{"features": args.Features, "entities": entities},
		`. + {ok: (.missing == 0), summary: (if .missing == 0 then "every value is present" else "\(.missing) values are not present" end)}`,
		"missing")
}
