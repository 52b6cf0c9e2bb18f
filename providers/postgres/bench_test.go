package postgres_test

import (
	"testing"

	"github.com/runbook-engine/runbook/providers/postgres"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// A look opens a session of its own: this is what that costs.
func BenchmarkLook(b *testing.B) {
	database := server.Database(b)
	server.Exec(b, database, bars("1000"))
	h := sdktest.New(b, postgres.Provider(), map[string]any{
		"host": server.Host, "port": server.Port, "database": database, "user": server.User, "password": server.Password,
	})
	for name, args := range map[string]map[string]any{
		"ready":     nil,
		"query":     {"sql": "SELECT count(*) AS n FROM bars"},
		"freshness": {"table": "bars", "column": "time", "max_age": "1h"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if outcome := h.Probe(name, args); outcome.Failure != nil {
					b.Fatal(outcome.Failure)
				}
			}
		})
	}
	b.Run("execute", func(b *testing.B) {
		for b.Loop() {
			if outcome := h.Act("execute", map[string]any{"sql": "UPDATE bars SET close = 1 WHERE close = 4001"}); outcome.Failure != nil {
				b.Fatal(outcome.Failure)
			}
		}
	})
}
