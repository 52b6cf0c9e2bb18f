package redis_test

import (
	"testing"

	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// A look opens a connection of its own: this is what that costs.
func BenchmarkLook(b *testing.B) {
	db := server.Database(b)
	server.Fill(b, db, "bars:%d", 10000)
	h := sdktest.New(b, redis.Provider(), map[string]any{"host": server.Host, "port": server.Port, "password": server.Password, "db": db})
	for name, args := range map[string]map[string]any{
		"ping": nil, "get": {"key": "bars:1"}, "dbsize": nil, "info": nil, "key_count": {"pattern": "bars:*"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if outcome := h.Probe(name, args); outcome.Failure != nil {
					b.Fatal(outcome.Failure)
				}
			}
		})
	}
}
