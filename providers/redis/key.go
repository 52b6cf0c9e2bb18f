package redis

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const getDoc = `The value of one key, whatever its type: text for a string, a map for a hash, a list for a list, set or sorted set.
It is ok when the key exists.`

const ttlDoc = `When a key expires. It is ok when the key exists.`

// What a value may hold to be returned.
const (
	maxElements   = 1000
	maxValueBytes = 1 << 20
)

type keyArgs struct {
	Key string `runbook:"key" doc:"The key's name."`
}

type getResult struct {
	sdk.Result
	Exists bool      `runbook:"exists" doc:"Whether the key exists."`
	Type   string    `runbook:"type" doc:"string, hash, list, set, zset or another type; none where the key does not exist."`
	Value  cty.Value `runbook:"value" doc:"The value; null where the key does not exist or its type cannot be shown."`
}

func (p *provider) get(ctx context.Context, args keyArgs, _ *sdk.Call) (getResult, error) {
	result := getResult{Value: absent}
	err := p.use(ctx, func(client *redis.Client) (err error) {
		if result.Type, err = client.Type(ctx, args.Key).Result(); err != nil {
			return err
		}
		result.Value, err = read(ctx, client, args.Key, result.Type)
		return err
	})
	if err != nil {
		return getResult{}, err
	}
	shown := slices.Contains([]string{"string", "hash", "list", "set", "zset"}, result.Type)
	if shown && result.Value.IsNull() {
		result.Type = "none" // gone between two commands
	}
	result.Exists = result.Type != "none"
	name := printable(args.Key)
	switch {
	case !result.Exists:
		result.Result = sdk.NotOK("the key %s does not exist", name)
	case result.Type == "string":
		result.Result = sdk.OK("%s = %s", name, shorten(result.Value.AsString()))
	case shown:
		result.Result = sdk.OK("%s is a %s of %s", name, result.Type, phrase.Count(int64(result.Value.LengthInt()), "element", "elements"))
	default:
		result.Result = sdk.OK("%s is a %s", name, result.Type)
	}
	return result, nil
}

// read gets a value by its type. It is null where the key has gone since its
// type was seen, or where the type cannot be shown.
func read(ctx context.Context, client *redis.Client, key, kind string) (cty.Value, error) {
	small := func(size *redis.IntCmd, limit int64) error {
		n, err := size.Result()
		if err == nil && n > limit {
			f := sdk.Fail("value_too_large", "the %s %s holds %d elements or bytes, at most %d can be returned", kind, printable(key), n, limit)
			f.Remedy = "look at it with redis-cli"
			err = f
		}
		return err
	}
	var elements *redis.StringSliceCmd
	switch kind {
	case "string":
		if err := small(client.StrLen(ctx, key), maxValueBytes); err != nil {
			return absent, err
		}
		value, err := client.Get(ctx, key).Result()
		if err != nil {
			return absent, unlessNil(err)
		}
		return text(value), nil
	case "hash":
		if err := small(client.HLen(ctx, key), maxElements); err != nil {
			return absent, err
		}
		fields, err := client.HGetAll(ctx, key).Result()
		if err != nil || len(fields) == 0 {
			return absent, err
		}
		values := make(map[string]cty.Value, len(fields))
		for name, value := range fields {
			values[strings.ToValidUTF8(name, "\uFFFD")] = text(value)
		}
		return cty.MapVal(values), nil
	case "list":
		if err := small(client.LLen(ctx, key), maxElements); err != nil {
			return absent, err
		}
		elements = client.LRange(ctx, key, 0, -1)
	case "set":
		if err := small(client.SCard(ctx, key), maxElements); err != nil {
			return absent, err
		}
		elements = client.SMembers(ctx, key)
	case "zset":
		if err := small(client.ZCard(ctx, key), maxElements); err != nil {
			return absent, err
		}
		elements = client.ZRange(ctx, key, 0, -1)
	default:
		return absent, nil
	}
	found, err := elements.Result()
	if err != nil || len(found) == 0 {
		return absent, err
	}
	if kind == "set" {
		slices.Sort(found)
	}
	values := make([]cty.Value, len(found))
	for i, element := range found {
		values[i] = text(element)
	}
	return cty.ListVal(values), nil
}

type ttlResult struct {
	sdk.Result
	Exists     bool     `runbook:"exists" doc:"Whether the key exists."`
	TTLSeconds *float64 `runbook:"ttl_seconds" doc:"Seconds until it expires; null where it does not exist or never expires."`
}

func (p *provider) ttl(ctx context.Context, args keyArgs, _ *sdk.Call) (ttlResult, error) {
	var left time.Duration
	err := p.use(ctx, func(client *redis.Client) (err error) {
		left, err = client.PTTL(ctx, args.Key).Result()
		return err
	})
	switch {
	case err != nil:
		return ttlResult{}, err
	case left == -2:
		return ttlResult{Result: sdk.NotOK("the key %s does not exist", printable(args.Key))}, nil
	case left == -1:
		return ttlResult{Exists: true, Result: sdk.OK("%s never expires", printable(args.Key))}, nil
	}
	seconds := left.Seconds()
	return ttlResult{Exists: true, TTLSeconds: &seconds, Result: sdk.OK("%s expires in %s", printable(args.Key), phrase.Round(left))}, nil
}
