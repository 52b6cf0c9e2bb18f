package mlflow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const setAliasDoc = `Lets an alias of a registered model stand for a version, and looks whether it does; with absent it removes the alias. The version that it stood for before is in the
result, which is what a rollback takes: version = self.result.previous_version, or absent where that is null. A version that does not exist is refused.
Doing it again is harmless.`

type setAliasArgs struct {
	Name    string  `runbook:"name" doc:"Name of the registered model."`
	Alias   string  `runbook:"alias" doc:"The alias, such as champion."`
	Version *string `runbook:"version" doc:"Number of the version that it is to stand for."`
	Absent  bool    `runbook:"absent" default:"false" doc:"Remove the alias instead."`
}

type setAliasResult struct {
	sdk.Result
	Changed         bool    `runbook:"changed" doc:"Whether anything had to be changed."`
	PreviousVersion *string `runbook:"previous_version" doc:"The version that the alias stood for before; null where it stood for none."`
}

func (args setAliasArgs) validate() *schema.Failure {
	switch {
	case args.Name == "":
		return sdk.InvalidArgument("name", "name is empty")
	case args.Alias == "":
		return sdk.InvalidArgument("alias", "alias is empty")
	case args.Version == nil && !args.Absent:
		return sdk.InvalidArgument("version", "version is missing; absent = true removes the alias")
	case args.Version != nil && args.Absent:
		return sdk.InvalidArgument("absent", "an alias that is removed takes no version")
	case args.Version != nil && *args.Version == "":
		return sdk.InvalidArgument("version", "version is empty")
	}
	return nil
}

// look finds what the alias stands for, and whether the version exists.
func (args setAliasArgs) look(ctx context.Context, c *client) (previous *string, err error) {
	aliases, err := c.aliases(ctx, args.Name)
	if err != nil {
		return nil, missing(err, "model_missing", "there is no registered model %s on MLflow at %s", args.Name, c.uri.Host)
	}
	if args.Version != nil {
		if _, err := c.version(ctx, args.Name, *args.Version); err != nil {
			return nil, missing(err, "version_missing", "the registered model %s has no version %s", args.Name, *args.Version)
		}
	}
	if number, ok := aliases[args.Alias]; ok {
		return &number, nil
	}
	return nil, nil
}

// stands tells whether the alias stands for what is asked for.
func (args setAliasArgs) stands(now *string) bool {
	return now == nil && args.Version == nil || now != nil && args.Version != nil && *now == *args.Version
}

func (p *provider) setAlias(ctx context.Context, args setAliasArgs, _ *sdk.Call) (setAliasResult, error) {
	if f := args.validate(); f != nil {
		return setAliasResult{}, sdk.Clean(f)
	}
	c, err := p.open(ctx)
	if err != nil {
		return setAliasResult{}, sdk.Clean(err)
	}
	defer c.close()
	previous, err := args.look(ctx, c)
	if err != nil {
		return setAliasResult{}, sdk.Clean(c.failure(ctx, err))
	}
	result := setAliasResult{PreviousVersion: previous, Changed: !args.stands(previous)}
	if !result.Changed {
		result.Result = sdk.OK("%s", args.said("stands already"))
		return result, nil
	}
	if err := args.change(ctx, c); err != nil {
		if answered(err) {
			return setAliasResult{}, sdk.Clean(c.failure(ctx, err))
		}
		return setAliasResult{}, sdk.Uncertain(c.failure(ctx, err))
	}
	now, err := args.look(ctx, c) // the thing itself
	if err != nil {
		return setAliasResult{}, c.failure(ctx, err)
	}
	if !args.stands(now) {
		f := sdk.Fail("changed_meanwhile", "the alias %s of %s was set, and stands for another version now", args.Alias, args.Name)
		f.Remedy = "find out who else sets it"
		return setAliasResult{}, f
	}
	result.Result = sdk.OK("%s%s", args.said("stands"), before(previous))
	return result, nil
}

// said is what the alias does, in words.
func (args setAliasArgs) said(verb string) string {
	if args.Version == nil {
		return fmt.Sprintf("%s@%s is gone", args.Name, args.Alias)
	}
	return fmt.Sprintf("%s@%s %s for version %s", args.Name, args.Alias, verb, *args.Version)
}

// does is what is to be done, in words.
func (args setAliasArgs) does() string {
	if args.Version == nil {
		return fmt.Sprintf("removes %s@%s", args.Name, args.Alias)
	}
	return fmt.Sprintf("lets %s@%s stand for version %s", args.Name, args.Alias, *args.Version)
}

func before(previous *string) string {
	if previous == nil {
		return "; before, for none"
	}
	return "; before, for version " + *previous
}

func (args setAliasArgs) change(ctx context.Context, c *client) error {
	if args.Version == nil {
		return c.call(ctx, http.MethodDelete, "/api/2.0/mlflow/registered-models/alias", url.Values{"name": {args.Name}, "alias": {args.Alias}}, args.body(), nil)
	}
	return c.post(ctx, "registered-models/alias", args.body(), nil)
}

func (args setAliasArgs) body() map[string]string {
	body := map[string]string{"name": args.Name, "alias": args.Alias}
	if args.Version != nil {
		body["version"] = *args.Version
	}
	return body
}

func (p *provider) describeSetAlias(args setAliasArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{{Resource: p.resource("registered-models", args.Name, "aliases", args.Alias), Mode: schema.Write}},
		Summary: "moves an alias of a model",
	}
	if call.Unknown("name") {
		d.Effects[0].Resource = p.resource("registered-models")
		return d
	}
	if call.Unknown("alias") {
		d.Effects[0].Resource = p.resource("registered-models", args.Name, "aliases")
		return d
	}
	if call.Unknown("version") || call.Unknown("absent") {
		d.Summary = fmt.Sprintf("moves %s@%s", args.Name, args.Alias)
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = args.does()
	method := http.MethodPost
	if args.Version == nil {
		method = http.MethodDelete
	}
	text, _ := json.Marshal(args.body()) // a map of strings has always a text
	d.Command = []string{"curl", "-fsS", "-X", method}
	switch {
	case p.config.Token != "":
		d.Command = append(d.Command, "-H", "Authorization: Bearer $MLFLOW_TRACKING_TOKEN")
	case p.config.Username != "":
		d.Command = append(d.Command, "-u", p.config.Username+":$MLFLOW_TRACKING_PASSWORD")
	}
	d.Command = append(d.Command, "-H", "Content-Type: application/json", "--data-raw", string(text), p.uri.String()+"/api/2.0/mlflow/registered-models/alias")
	return d
}

func (p *provider) previewSetAlias(ctx context.Context, args setAliasArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	preview := sdk.PreviewResult{Impact: schema.Impact{"aliases": 0}}
	err := p.use(ctx, func(c *client) error {
		previous, err := args.look(ctx, c)
		if err != nil {
			return err
		}
		preview.Summary = args.said("stands already")
		if !args.stands(previous) {
			preview.Impact["aliases"] = 1
			preview.Summary = args.does() + before(previous)
		}
		return nil
	})
	return preview, err
}
