// Command serve starts backends of backendtest for tests of other parts of the
// module, says on its standard output where they are, as JSON, and ends them when
// its standard input ends.
//
//	serve                           PostgreSQL and Redis
//	serve docker [REFERENCE=VERSION…]  a Docker engine with images of the stand-in
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
)

func main() {
	served := serve
	if len(os.Args) > 1 && os.Args[1] == "docker" {
		served = serveDocker
	}
	if err := served(); err != nil {
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
	return say(map[string]any{
		"postgres": map[string]any{"host": postgres.Host, "port": postgres.Port, "user": postgres.User, "password": postgres.Password},
		"redis":    map[string]any{"host": redis.Host, "port": redis.Port, "password": redis.Password},
	})
}

func serveDocker() error {
	engine, err := backendtest.StartDocker()
	if err != nil {
		return err
	}
	defer engine.Stop()
	for _, image := range os.Args[2:] {
		reference, version, _ := strings.Cut(image, "=")
		if _, err := engine.MakeImage(context.Background(), reference, version); err != nil {
			return err
		}
	}
	return say(map[string]any{"docker": map[string]any{"host": engine.Host(), "config_folder": engine.Config}})
}

// say tells where the backends are, and returns when nobody wants them any more.
func say(where map[string]any) error {
	err := json.NewEncoder(os.Stdout).Encode(where)
	_, ended := io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, ended)
}
