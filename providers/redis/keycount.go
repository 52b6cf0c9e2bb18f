package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const keyCountDoc = `How many keys match a pattern, counted with SCAN, which does not hold the server up. It is ok between min and max.
More than two million matching keys are an error, not an answer.`

const dbsizeDoc = `How many keys the database holds, by the server's own count. It is ok when there is at least one.`

type keyCountArgs struct {
	Pattern string `runbook:"pattern" doc:"Glob over key names: * any text, ? one character, [ab] one of these, \\ takes the next one as it is."`
	Min     int64  `runbook:"min" doc:"The fewest keys that are ok." default:"1"`
	Max     *int64 `runbook:"max" doc:"The most keys that are ok; without one there is no upper bound."`
}

type keyCountResult struct {
	sdk.Result
	Keys   int64    `runbook:"keys" doc:"How many keys match."`
	Sample []string `runbook:"sample" doc:"Up to ten of them."`
}

func (p *provider) keyCount(ctx context.Context, args keyCountArgs, _ *sdk.Call) (keyCountResult, error) {
	if args.Pattern == "" {
		return keyCountResult{}, sdk.InvalidArgument("pattern", "pattern is empty")
	}
	var found census
	err := p.use(ctx, func(client *redis.Client) (err error) {
		found, err = count(ctx, client, args.Pattern, nil)
		return err
	})
	if err != nil {
		return keyCountResult{}, err
	}
	ok := found.count >= args.Min && (args.Max == nil || found.count <= *args.Max)
	result := keyCountResult{Keys: found.count, Sample: found.sample}
	result.Result = sdk.OK("%s %s", phrase.Count(found.count, "key matches", "keys match"), printable(args.Pattern))
	result.OK = ok
	return result, nil
}

type dbsizeArgs struct{}

type dbsizeResult struct {
	sdk.Result
	Keys int64 `runbook:"keys" doc:"How many keys the database holds, expired ones that are not swept yet included."`
}

func (p *provider) dbsize(ctx context.Context, _ dbsizeArgs, _ *sdk.Call) (dbsizeResult, error) {
	var result dbsizeResult
	err := p.use(ctx, func(client *redis.Client) (err error) {
		result.Keys, err = client.DBSize(ctx).Result()
		return err
	})
	if err != nil {
		return dbsizeResult{}, err
	}
	result.Result = sdk.OK("database %d holds %s", p.config.DB, phrase.Count(result.Keys, "key", "keys"))
	result.OK = result.Keys > 0
	return result, nil
}
