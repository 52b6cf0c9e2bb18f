package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pubsubDoc = `How many clients are subscribed to a channel by its name; subscriptions by pattern are on no such list. It is ok from min_subscribers on.`

type pubsubArgs struct {
	Channel        string `runbook:"channel" doc:"The channel's name."`
	MinSubscribers int64  `runbook:"min_subscribers" doc:"The fewest subscribers that are ok." default:"1"`
}

type pubsubResult struct {
	sdk.Result
	Subscribers int64 `runbook:"subscribers" doc:"Clients subscribed to the channel."`
	Patterns    int64 `runbook:"patterns" doc:"Patterns that clients of the whole server are subscribed to."`
}

func (p *provider) pubsub(ctx context.Context, args pubsubArgs, _ *sdk.Call) (pubsubResult, error) {
	var result pubsubResult
	err := p.use(ctx, func(client *redis.Client) error {
		counts, err := client.PubSubNumSub(ctx, args.Channel).Result()
		if err != nil {
			return err
		}
		result.Subscribers = counts[args.Channel]
		result.Patterns, err = client.PubSubNumPat(ctx).Result()
		return err
	})
	if err != nil {
		return pubsubResult{}, err
	}
	result.Result = sdk.OK("%s of %s", phrase.Count(result.Subscribers, "subscriber", "subscribers"), args.Channel)
	result.OK = result.Subscribers >= args.MinSubscribers
	return result, nil
}
