package redis

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const deletePatternDoc = `Deletes the keys that match a pattern, found with SCAN and removed with UNLINK in batches, which does not hold the server up.
The preview is the same SCAN. With a limit on keys, more than that many matching keys are refused before the first one is deleted;
should others write meanwhile, it stops before it has deleted more.
A pattern that matches every key is refused: that is redis.flushdb. Doing it again is harmless.`

type deletePatternArgs struct {
	Pattern string `runbook:"pattern" doc:"Glob over key names: * any text, ? one character, [ab] one of these, \\ takes the next one as it is."`
}

type deleteResult struct {
	sdk.Result
	Keys      int64 `runbook:"keys" doc:"How many keys were deleted."`
	Remaining int64 `runbook:"remaining" doc:"How many keys match afterwards: those that others wrote meanwhile."`
}

func (args deletePatternArgs) validate() *schema.Failure {
	if args.Pattern == "" {
		return sdk.InvalidArgument("pattern", "pattern is empty")
	}
	if everything(args.Pattern) {
		f := sdk.InvalidArgument("pattern", "the pattern %s matches every key", args.Pattern)
		f.Remedy = "use redis.flushdb to empty the database"
		return f
	}
	return nil
}

func (p *provider) deletePattern(ctx context.Context, args deletePatternArgs, call *sdk.Call) (deleteResult, error) {
	if f := args.validate(); f != nil {
		return deleteResult{}, sdk.Clean(f)
	}
	client, done, err := p.connect(ctx)
	if err != nil {
		return deleteResult{}, sdk.Clean(err)
	}
	defer done()
	limit, limited := call.Limit("keys")
	if limited {
		found, err := count(ctx, client, args.Pattern, nil)
		if err == nil && found.count > limit {
			err = overLimit(found.count, limit)
		}
		if err != nil {
			return deleteResult{}, sdk.Clean(p.failure(ctx, err))
		}
	}
	var result deleteResult
	var unlinked error // what became of the last UNLINK
	err = walk(ctx, client, args.Pattern, func(keys []string) error {
		slices.Sort(keys)
		keys = slices.Compact(keys)
		if limited && result.Keys+int64(len(keys)) > limit {
			return grown(result.Keys, limit)
		}
		var gone int64
		gone, unlinked = client.Unlink(ctx, keys...).Result()
		result.Keys += gone
		call.Progress(float64(result.Keys), 0, "%s deleted", phrase.Count(result.Keys, "key", "keys"))
		return unlinked
	})
	var left census
	if err == nil {
		left, err = count(ctx, client, args.Pattern, nil)
	}
	if err != nil {
		failed := p.failure(ctx, err)
		switch {
		case unlinked != nil && !answered(unlinked):
			return deleteResult{}, sdk.Uncertain(after(result.Keys, failed))
		case result.Keys == 0:
			return deleteResult{}, sdk.Clean(failed)
		}
		return deleteResult{}, after(result.Keys, failed)
	}
	result.Remaining = left.count
	result.Result = sdk.OK("deleted %s", phrase.Count(result.Keys, "key", "keys"))
	if left.count > 0 {
		result.Summary += fmt.Sprintf("; %s by now, written meanwhile", phrase.Count(left.count, "matches", "match"))
	}
	return result, nil
}

// after is an error that says how many keys were gone by then.
func after(gone int64, err error) error {
	return fmt.Errorf("after deleting %s: %w", phrase.Count(gone, "key", "keys"), err)
}

// grown is the failure of a deletion under which others wrote.
func grown(gone, limit int64) *schema.Failure {
	f := sdk.Fail("limit_exceeded", "more keys match than the limit of %d allows, others write meanwhile; the rest stays", limit)
	if gone == 0 {
		f = sdk.Fail("limit_exceeded", "more keys match by now, others write meanwhile; the limit is %d; none was deleted", limit)
	}
	f.Remedy = "stop the writers first, or raise limit"
	return f
}

func overLimit(found, limit int64) *schema.Failure {
	f := sdk.Fail("limit_exceeded", "%s would be deleted, the limit is %d; none was", phrase.Count(found, "key", "keys"), limit)
	f.Remedy = "look at the keys, then narrow what is deleted or raise limit"
	return f
}

// describeDeletePattern names the whole database unless the pattern is one
// key's name: resources are compared by whole names, and a prefix is none.
func (p *provider) describeDeletePattern(args deletePatternArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: true, Effects: []schema.Effect{{Resource: p.database(), Mode: schema.Delete}}, Summary: "deletes keys"}
	if call.Unknown("pattern") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	if literal(args.Pattern) {
		d.Effects[0].Resource = p.key(args.Pattern)
	}
	d.Summary = "deletes the keys that match " + printable(args.Pattern)
	// The pattern is handed to the shell as $1, so that it stays one word.
	scan := `"$@" --scan --pattern "$pattern" | xargs -r -d "\n" "$@" UNLINK`
	d.Command = append([]string{"bash", "-c", `pattern=$1; shift; ` + scan, "bash", args.Pattern}, p.cli()...)
	return d
}

func (p *provider) previewDeletePattern(ctx context.Context, args deletePatternArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var found census
	err := p.use(ctx, func(client *redis.Client) (err error) {
		found, err = count(ctx, client, args.Pattern, nil)
		return err
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact: schema.Impact{"keys": found.count}, Sample: found.sample,
		Summary: fmt.Sprintf("deletes %s matching %s", phrase.Count(found.count, "key", "keys"), printable(args.Pattern)),
	}, nil
}
