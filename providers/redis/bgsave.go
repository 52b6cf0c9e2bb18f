package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const bgsaveDoc = `Has the server write a snapshot of all its databases to its disk, and waits until it is written. A snapshot that was under way already is
waited for first, since it may lack the newest changes. Doing it again is harmless.`

// savePause is the pause between two looks at a snapshot that is being written.
const savePause = 200 * time.Millisecond

type bgsaveArgs struct{}

type bgsaveResult struct {
	sdk.Result
	SavedAt         time.Time `runbook:"saved_at" doc:"When the snapshot was complete, by the server's clock."`
	DurationSeconds float64   `runbook:"duration_seconds" doc:"How long it took, waiting included."`
}

func (p *provider) bgsave(ctx context.Context, _ bgsaveArgs, call *sdk.Call) (bgsaveResult, error) {
	client, done, err := p.connect(ctx)
	if err != nil {
		return bgsaveResult{}, sdk.Clean(err)
	}
	defer done()
	started := time.Now()
	if _, err := saved(ctx, client, call, "an earlier snapshot"); err != nil {
		return bgsaveResult{}, sdk.Clean(p.failure(ctx, err))
	}
	from, err := client.Time(ctx).Result()
	if err != nil {
		return bgsaveResult{}, sdk.Clean(p.failure(ctx, err))
	}
	if err := client.BgSave(ctx).Err(); err != nil {
		return bgsaveResult{}, p.sent(ctx, err)
	}
	said, err := saved(ctx, client, call, "the snapshot")
	if err != nil {
		// The server goes on writing, whoever looks.
		return bgsaveResult{}, sdk.Uncertain(p.failure(ctx, err))
	}
	at := time.Unix(said.number("rdb_last_save_time"), 0)
	if said["rdb_last_bgsave_status"] != "ok" || at.Before(from.Truncate(time.Second)) {
		f := sdk.Fail("save_failed", "the server could not write the snapshot")
		f.Remedy = "see its log, and the room on its disk"
		return bgsaveResult{}, f
	}
	result := bgsaveResult{SavedAt: at, DurationSeconds: time.Since(started).Seconds()}
	result.Result = sdk.OK("saved at %s", at.UTC().Format(time.RFC3339))
	return result, nil
}

// saved waits until no snapshot is being written.
func saved(ctx context.Context, client *redis.Client, call *sdk.Call, what string) (facts, error) {
	for {
		text, err := client.Info(ctx, "persistence").Result()
		if err != nil {
			return nil, err
		}
		said := parseInfo(text)
		if said["rdb_bgsave_in_progress"] == "0" {
			return said, nil
		}
		call.Progress(float64(said.number("current_save_keys_processed")), float64(said.number("current_save_keys_total")), "writing %s", what)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(savePause):
		}
	}
}

// describeBgsave says that everything is read: a snapshot taken while others
// write is of no moment in particular.
func (p *provider) describeBgsave(bgsaveArgs, *sdk.Call) sdk.Description {
	return sdk.Description{
		Effects: []schema.Effect{{Resource: p.resource(), Mode: schema.Read}, {Resource: p.resource("snapshot"), Mode: schema.Write}},
		Command: p.cli("BGSAVE"),
		Summary: "has the server write a snapshot to its disk",
	}
}

func (p *provider) previewBgsave(ctx context.Context, _ bgsaveArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var said facts
	err := p.use(ctx, func(client *redis.Client) error {
		text, err := client.Info(ctx).Result()
		said = parseInfo(text)
		return err
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact:  schema.Impact{"keys": keysOf(said)},
		Summary: fmt.Sprintf("writes a snapshot of %d MiB in memory, %d changes since the last one", said.number("used_memory")>>20, said.number("rdb_changes_since_last_save")),
	}, nil
}

// keysOf adds up the keys of all databases.
func keysOf(said facts) int64 {
	var total int64
	for name, value := range said {
		var n int64
		if len(name) > 2 && name[:2] == "db" {
			if _, err := fmt.Sscanf(value, "keys=%d,", &n); err == nil {
				total += n
			}
		}
	}
	return total
}
