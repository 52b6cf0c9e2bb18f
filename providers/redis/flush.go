package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const flushdbDoc = `Empties the database. It needs a bound: require_prefix, under which every key must lie, or a limit on keys.
With require_prefix it refuses, and changes nothing, where a single other key lives in the database: that is looked at right before the flush,
and the flush itself happens only if the number of keys has not changed since. The preview is the number of keys and a sample.`

type flushdbArgs struct {
	RequirePrefix []string `runbook:"require_prefix,optional" doc:"Every key must begin with one of these, or nothing is flushed."`
}

type flushResult struct {
	sdk.Result
	Keys int64 `runbook:"keys" doc:"How many keys the database held."`
}

// flushTries is how often the keys are looked at again where others write
// between look and flush.
const flushTries = 3

// flushScript flushes only a database that holds as many keys as were looked at.
const flushScript = `if redis.call('DBSIZE') == tonumber(ARGV[1]) then redis.call('FLUSHDB', 'ASYNC') return 1 end return 0`

func (args flushdbArgs) validate() *schema.Failure {
	for _, prefix := range args.RequirePrefix {
		if prefix == "" {
			return sdk.InvalidArgument("require_prefix", "require_prefix holds an empty text, under which every key lies")
		}
	}
	return nil
}

func (args flushdbArgs) accepts(key string) bool {
	for _, prefix := range args.RequirePrefix {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return len(args.RequirePrefix) == 0
}

// look counts the keys and refuses what must not be flushed.
func (args flushdbArgs) look(ctx context.Context, client *redis.Client, call *sdk.Call) (census, error) {
	limit, limited := call.Limit("keys")
	if len(args.RequirePrefix) == 0 && !limited {
		f := sdk.Fail("unbounded", "redis.flushdb without a bound would delete whatever is there")
		f.Remedy = "give require_prefix, or the step a limit such as { keys = 1000 }"
		return census{}, f
	}
	found, err := count(ctx, client, "*", args.accepts)
	switch {
	case err != nil:
		return census{}, err
	case found.others > 0:
		f := sdk.Fail("other_keys", "%s in this database under none of the prefixes %q, such as %s; nothing was flushed",
			phrase.Count(found.others, "key lives", "keys live"), args.RequirePrefix, strings.Join(found.strays[:min(3, len(found.strays))], ", "))
		f.Remedy = "delete by pattern with redis.delete_pattern instead"
		f.Argument = "require_prefix"
		return census{}, f
	case limited && found.count > limit:
		return census{}, overLimit(found.count, limit)
	}
	return found, nil
}

func (p *provider) flushdb(ctx context.Context, args flushdbArgs, call *sdk.Call) (flushResult, error) {
	if f := args.validate(); f != nil {
		return flushResult{}, sdk.Clean(f)
	}
	client, done, err := p.connect(ctx)
	if err != nil {
		return flushResult{}, sdk.Clean(err)
	}
	defer done()
	for range flushTries {
		found, err := args.look(ctx, client, call)
		if err != nil {
			return flushResult{}, sdk.Clean(p.failure(ctx, err))
		}
		flushed, err := client.Eval(ctx, flushScript, nil, found.count).Bool()
		switch {
		case err != nil:
			return flushResult{}, p.sent(ctx, err)
		case flushed:
			result := flushResult{Keys: found.count}
			result.Result = sdk.OK("flushed database %d: %s", p.config.DB, phrase.Count(found.count, "key", "keys"))
			return result, nil
		}
		call.Logf("the number of keys changed while they were looked at")
	}
	return flushResult{}, sdk.Clean(&schema.Failure{
		Code: "changed_meanwhile", Retryable: true,
		Message: fmt.Sprintf("others wrote to database %d during each of %d looks at its keys; nothing was flushed", p.config.DB, flushTries),
		Remedy:  "stop the writers first",
	})
}

func (p *provider) describeFlushdb(args flushdbArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: true,
		Effects:     []schema.Effect{{Resource: p.database(), Mode: schema.Delete}},
		Command:     p.cli("FLUSHDB", "ASYNC"),
		Summary:     fmt.Sprintf("deletes every key of database %d", p.config.DB),
	}
	if !call.Unknown("require_prefix") {
		d.Failure = args.validate()
	}
	return d
}

func (p *provider) previewFlushdb(ctx context.Context, args flushdbArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	var found census
	err := p.use(ctx, func(client *redis.Client) (err error) {
		found, err = args.look(ctx, client, call)
		return err
	})
	var over *schema.Failure
	if errors.As(err, &over) && over.Code == "limit_exceeded" {
		// The engine compares the count with the limit and says so itself.
		err = p.use(ctx, func(client *redis.Client) (err error) {
			found, err = count(ctx, client, "*", nil)
			return err
		})
	}
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact: schema.Impact{"keys": found.count}, Sample: found.sample,
		Summary: fmt.Sprintf("deletes every key of database %d: %s", p.config.DB, phrase.Count(found.count, "key", "keys")),
	}, nil
}
