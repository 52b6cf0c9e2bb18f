// Command serve starts the backends of backendtest for tests of other parts of
// the module, says on its standard output where they are, as JSON, and ends them
// when its standard input ends.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	var postgres *backendtest.Postgres
	var redis *backendtest.Redis
	for _, start := range []backendtest.Backend{backendtest.WithPostgres(&postgres), backendtest.WithRedis(&redis)} {
		stop, err := start()
		if err != nil {
			return err
		}
		defer stop()
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"postgres": map[string]any{"host": postgres.Host, "port": postgres.Port, "user": postgres.User, "password": postgres.Password},
		"redis":    map[string]any{"host": redis.Host, "port": redis.Port, "password": redis.Password},
	})
	_, ended := io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, ended)
}
