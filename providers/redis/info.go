package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const infoDoc = `The numbers of INFO that decide whether the server is well: memory, clients, persistence and replication. It is ok when memory is below
max_memory_ratio of maxmemory (where that is set), the last snapshot and the last write of the append-only file succeeded, and a replica's link is up.`

type infoArgs struct {
	MaxMemoryRatio float64 `runbook:"max_memory_ratio" doc:"Share of maxmemory, from 0 to 1, from which on it is no longer ok." default:"0.9"`
}

type infoResult struct {
	sdk.Result
	Version         string    `runbook:"version" doc:"The server's version."`
	UptimeSeconds   int64     `runbook:"uptime_seconds" doc:"Since when it runs."`
	Role            string    `runbook:"role" doc:"master or slave, as the server calls them."`
	Replicas        int64     `runbook:"replicas" doc:"Connected replicas."`
	LinkUp          bool      `runbook:"link_up" doc:"On a replica, whether the link to its primary is up; true on a primary."`
	Clients         int64     `runbook:"clients" doc:"Connected clients, this look's own included."`
	MaxClients      int64     `runbook:"max_clients" doc:"The most that may connect; 0 where the server does not say."`
	UsedMemoryBytes int64     `runbook:"used_memory_bytes" doc:"Memory in use."`
	MaxMemoryBytes  int64     `runbook:"max_memory_bytes" doc:"maxmemory; 0 means no bound."`
	MaxMemoryPolicy string    `runbook:"max_memory_policy" doc:"What happens at maxmemory, such as noeviction."`
	EvictedKeys     int64     `runbook:"evicted_keys" doc:"Keys evicted since the server's start."`
	ExpiredKeys     int64     `runbook:"expired_keys" doc:"Keys expired since the server's start."`
	LastSave        time.Time `runbook:"last_save" doc:"When the last snapshot succeeded, or the server started."`
	LastSaveOK      bool      `runbook:"last_save_ok" doc:"Whether the last snapshot succeeded."`
	AppendOnlyOK    bool      `runbook:"append_only_ok" doc:"Whether the last write of the append-only file succeeded; true where there is none."`
	UnsavedChanges  int64     `runbook:"unsaved_changes" doc:"Changes since the last snapshot."`
	OpsPerSecond    int64     `runbook:"ops_per_second" doc:"Commands in the last second."`
}

func (p *provider) info(ctx context.Context, args infoArgs, _ *sdk.Call) (infoResult, error) {
	if args.MaxMemoryRatio <= 0 || args.MaxMemoryRatio > 1 {
		return infoResult{}, sdk.InvalidArgument("max_memory_ratio", "max_memory_ratio must be above 0 and at most 1, got %g", args.MaxMemoryRatio)
	}
	var said facts
	err := p.use(ctx, func(client *redis.Client) error {
		text, err := client.Info(ctx).Result()
		said = parseInfo(text)
		return err
	})
	if err != nil {
		return infoResult{}, err
	}
	result := infoResult{
		Version: said["redis_version"], UptimeSeconds: said.number("uptime_in_seconds"),
		Role: said["role"], Replicas: said.number("connected_slaves"), LinkUp: said["role"] != "slave" || said["master_link_status"] == "up",
		Clients: said.number("connected_clients"), MaxClients: said.number("maxclients"),
		UsedMemoryBytes: said.number("used_memory"), MaxMemoryBytes: said.number("maxmemory"), MaxMemoryPolicy: said["maxmemory_policy"],
		EvictedKeys: said.number("evicted_keys"), ExpiredKeys: said.number("expired_keys"),
		LastSave: time.Unix(said.number("rdb_last_save_time"), 0), LastSaveOK: said["rdb_last_bgsave_status"] == "ok",
		AppendOnlyOK:   said["aof_enabled"] != "1" || said["aof_last_write_status"] == "ok",
		UnsavedChanges: said.number("rdb_changes_since_last_save"), OpsPerSecond: said.number("instantaneous_ops_per_sec"),
	}
	result.Result = result.judge(args)
	return result, nil
}

func (r infoResult) judge(args infoArgs) sdk.Result {
	memory := fmt.Sprintf("%d MiB in use", r.UsedMemoryBytes>>20)
	ratio := 0.0
	if r.MaxMemoryBytes > 0 {
		ratio = float64(r.UsedMemoryBytes) / float64(r.MaxMemoryBytes)
		memory = fmt.Sprintf("%.0f %% of maxmemory (%d MiB) in use", 100*ratio, r.MaxMemoryBytes>>20)
	}
	switch {
	case r.Version == "":
		return sdk.NotOK("the server's INFO says nothing")
	case !r.LinkUp:
		return sdk.NotOK("the link to the primary is down")
	case !r.LastSaveOK:
		return sdk.NotOK("the last snapshot failed; see the server's log and disk")
	case !r.AppendOnlyOK:
		return sdk.NotOK("the last write of the append-only file failed; see the server's log and disk")
	case ratio >= args.MaxMemoryRatio:
		return sdk.NotOK("%s", memory)
	}
	return sdk.OK("Redis %s, %s, %s", r.Version, memory, phrase.Count(r.Clients, "client", "clients"))
}

// facts are the lines of INFO by name.
type facts map[string]string

func parseInfo(text string) facts {
	said := facts{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			said[name] = value
		}
	}
	return said
}

// number is 0 for what the server does not say.
func (f facts) number(name string) int64 {
	n, _ := strconv.ParseInt(f[name], 10, 64)
	return n
}
