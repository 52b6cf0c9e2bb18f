package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const setDoc = `Sets one key to a text. Without ttl it never expires, also where it did before; keep_ttl leaves that as it is.
The text that it held before is in the result: previous is what to set for the way back. A key that holds something else, such as a hash or bytes that are no text, is refused.
Doing it again is harmless.`

type setArgs struct {
	Key     string         `runbook:"key" doc:"The key's name."`
	Value   string         `runbook:"value" doc:"The new value."`
	TTL     *time.Duration `runbook:"ttl" doc:"When it expires, from now on; without one it never does."`
	KeepTTL bool           `runbook:"keep_ttl" doc:"Keep the expiry that the key has." default:"false"`
}

type setResult struct {
	sdk.Result
	Existed     bool     `runbook:"existed" doc:"Whether the key existed before."`
	Previous    *string  `runbook:"previous" doc:"The text that it held before; null where it did not exist."`
	PreviousTTL *float64 `runbook:"previous_ttl_seconds" doc:"Seconds until that would have expired; null where it never would, or did not exist."`
}

// before takes in what a key holds, if setting it can bring that back.
func (r *setResult) before(ctx context.Context, client *redis.Client, key string) error {
	kind, err := client.Type(ctx, key).Result()
	if err != nil || kind == "none" {
		return err
	}
	held := absent
	if kind == "string" {
		if held, err = read(ctx, client, key, kind); err != nil || held.IsNull() { // gone between two commands
			return err
		}
	}
	if held.IsNull() || strings.ContainsRune(held.AsString(), utf8.RuneError) {
		f := sdk.Fail("wrong_type", "%s is a %s that holds no text: nothing could bring it back", printable(key), kind)
		f.Argument, f.Remedy = "key", "name another key, or delete this one first with redis.delete_pattern"
		return f
	}
	left, err := client.PTTL(ctx, key).Result()
	if err == nil && left > 0 {
		seconds := left.Seconds()
		r.PreviousTTL = &seconds
	}
	text := held.AsString()
	r.Existed, r.Previous = true, &text
	return err
}

func (args setArgs) validate() *schema.Failure {
	switch {
	case args.Key == "":
		return sdk.InvalidArgument("key", "key is empty")
	case args.TTL != nil && *args.TTL < time.Millisecond:
		return sdk.InvalidArgument("ttl", "ttl must be at least 1ms, got %s", *args.TTL)
	case args.TTL != nil && args.KeepTTL:
		return sdk.InvalidArgument("keep_ttl", "give ttl or keep_ttl, not both")
	}
	return nil
}

func (p *provider) set(ctx context.Context, args setArgs, _ *sdk.Call) (setResult, error) {
	if f := args.validate(); f != nil {
		return setResult{}, sdk.Clean(f)
	}
	client, done, err := p.connect(ctx)
	if err != nil {
		return setResult{}, sdk.Clean(err)
	}
	defer done()
	var result setResult
	if err := result.before(ctx, client, args.Key); err != nil {
		return setResult{}, sdk.Clean(p.failure(ctx, err))
	}
	var expiry time.Duration // none
	switch {
	case args.TTL != nil:
		expiry = *args.TTL
	case args.KeepTTL:
		expiry = redis.KeepTTL
	}
	if err := client.Set(ctx, args.Key, args.Value, expiry).Err(); err != nil {
		return setResult{}, p.sent(ctx, err)
	}
	result.Result = sdk.OK("set %s", printable(args.Key))
	return result, nil
}

func (p *provider) describeSet(args setArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{{Resource: p.key(args.Key), Mode: schema.Write}}, Summary: "sets a key"}
	if call.Unknown("key") {
		d.Effects[0].Resource = p.database()
		return d
	}
	d.Summary = "sets " + printable(args.Key)
	if call.Unknown("value") || call.Unknown("ttl") || call.Unknown("keep_ttl") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Command = p.cli("SET", args.Key, args.Value)
	switch {
	case args.TTL != nil:
		d.Command = append(d.Command, "PX", strconv.FormatInt(args.TTL.Milliseconds(), 10))
	case args.KeepTTL:
		d.Command = append(d.Command, "KEEPTTL")
	}
	return d
}

func (p *provider) previewSet(ctx context.Context, args setArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var now setResult
	err := p.use(ctx, func(client *redis.Client) error { return now.before(ctx, client, args.Key) })
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	summary := fmt.Sprintf("creates %s", printable(args.Key))
	if now.Existed {
		summary = fmt.Sprintf("overwrites %s, which is %s", printable(args.Key), shorten(*now.Previous))
	}
	return sdk.PreviewResult{Impact: schema.Impact{"keys": 1}, Summary: summary}, nil
}
