package redis

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Sizes of a scan. A database that holds more than maxScanned matching keys is
// not counted to the end: an answer would be a guess.
const (
	scanBatch  = 1000
	maxScanned = 2_000_000
	sampleKeys = 10
)

// walk hands on the keys that match, batch by batch. SCAN may return a key more
// than once, and never misses one that is there all the time.
func walk(ctx context.Context, client *redis.Client, pattern string, batch func([]string) error) error {
	var cursor uint64
	for {
		keys, next, err := client.Scan(ctx, cursor, pattern, scanBatch).Result()
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := batch(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// census is what a scan found.
type census struct {
	count  int64
	sample []string // the first names in order of the alphabet, printable
	strays []string // some of the keys that accept refused, printable
	others int64    // how many were refused
}

// count counts the distinct keys that match. accept, where not nil, tells the
// keys that are expected from strays.
func count(ctx context.Context, client *redis.Client, pattern string, accept func(string) bool) (census, error) {
	var found census
	seed := maphash.MakeSeed()
	seen := make(map[uint64]struct{}) // hashes: names would take far more room
	err := walk(ctx, client, pattern, func(keys []string) error {
		for _, key := range keys {
			hash := maphash.String(seed, key)
			if _, twice := seen[hash]; twice {
				continue
			}
			seen[hash] = struct{}{}
			found.count++
			found.sample = keepLowest(found.sample, printable(key))
			if accept != nil && !accept(key) {
				found.others++
				found.strays = keepLowest(found.strays, printable(key))
			}
		}
		if len(seen) > maxScanned {
			return tooMany(pattern)
		}
		return nil
	})
	return found, err
}

// keepLowest keeps a short sorted list.
func keepLowest(list []string, one string) []string {
	at, _ := slices.BinarySearch(list, one)
	if at == sampleKeys {
		return list
	}
	list = slices.Insert(list, at, one)
	return list[:min(len(list), sampleKeys)]
}

func tooMany(pattern string) *schema.Failure {
	f := sdk.Fail("too_many_keys", "more than %d keys match %s: they are not counted", maxScanned, printable(pattern))
	f.Remedy = "narrow the pattern, or use redis.dbsize"
	return f
}

// everything tells whether a pattern matches every key, or every key that is
// not very short.
func everything(pattern string) bool {
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == ""
}

// literal tells whether a pattern is one key's name.
func literal(pattern string) bool { return !strings.ContainsAny(pattern, `*?[]\`) }
