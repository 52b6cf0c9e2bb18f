package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const setDoc = `Sets one key to a text, whatever it held before. Without ttl it never expires, also where it did before; keep_ttl leaves that as it is.
Doing it again is harmless.`

type setArgs struct {
	Key     string         `runbook:"key" doc:"The key's name."`
	Value   string         `runbook:"value" doc:"The new value."`
	TTL     *time.Duration `runbook:"ttl" doc:"When it expires, from now on; without one it never does."`
	KeepTTL bool           `runbook:"keep_ttl" doc:"Keep the expiry that the key has." default:"false"`
}

type setResult struct {
	sdk.Result
	Existed bool `runbook:"existed" doc:"Whether the key existed before."`
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
	existed, err := client.Exists(ctx, args.Key).Result()
	if err != nil {
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
	result := setResult{Existed: existed > 0}
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
	var kind string
	err := p.use(ctx, func(client *redis.Client) (err error) {
		kind, err = client.Type(ctx, args.Key).Result()
		return err
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	summary := fmt.Sprintf("creates %s", printable(args.Key))
	if kind != "none" {
		summary = fmt.Sprintf("overwrites the %s %s", kind, printable(args.Key))
	}
	return sdk.PreviewResult{Impact: schema.Impact{"keys": 1}, Summary: summary}, nil
}
