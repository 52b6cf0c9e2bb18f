package backendtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Redis is a running server with a password. It is safe for concurrent use.
type Redis struct {
	Host     string // loopback address
	Port     int
	Password string
	Dir      string // where it writes its dump

	process   *server
	databases atomic.Int64
}

// redisDatabases is how many tests of one package can have one of their own.
const redisDatabases = 512

// WithRedis starts a server and stores it in *to.
func WithRedis(to **Redis) Backend {
	return func() (func(), error) {
		r, err := StartRedis()
		if err != nil {
			return nil, err
		}
		*to = r
		return r.Stop, nil
	}
}

// StartRedis starts a server that saves nothing by itself, with more options of
// its command line. The caller stops it;
// should it not, the server ends with the process.
func StartRedis(options ...string) (*Redis, error) {
	path, err := binary("redis-server", "apt-get install -y redis-server")
	if err != nil {
		return nil, err
	}
	dir, err := folder(nil)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r := &Redis{Host: "127.0.0.1", Port: port, Password: "redis-secret", Dir: dir}
	arguments := []string{"--bind", r.Host, "--port", strconv.Itoa(port), "--requirepass", r.Password,
		"--databases", strconv.Itoa(redisDatabases), "--save", "", "--appendonly", "no", "--dir", dir}
	command := exec.Command(path, append(arguments, options...)...)
	command.Dir = dir
	if r.process, err = serve(command, nil, syscall.SIGKILL, "Ready to accept connections"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

// Stop ends the server and removes its folder.
func (r *Redis) Stop() {
	r.process.stop(syscall.SIGKILL)
	os.RemoveAll(r.Dir)
}

// Database returns the number of a database that no other test uses.
func (r *Redis) Database(t testing.TB) int {
	t.Helper()
	n := r.databases.Add(1)
	if n >= redisDatabases {
		t.Fatalf("more than %d tests ask for a Redis database", redisDatabases-1)
	}
	return int(n)
}

// Client opens a client of one database, closed with the test.
func (r *Redis) Client(t testing.TB, database int) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: net.JoinHostPort(r.Host, strconv.Itoa(r.Port)), Password: r.Password, DB: database})
	if err := client.Ping(context.Background()).Err(); err != nil {
		t.Fatalf("connect to the test's Redis: %v", err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// Fill sets the given number of keys, named by a format such as "bars:%d".
func (r *Redis) Fill(t testing.TB, database int, format string, keys int) {
	t.Helper()
	client := r.Client(t, database)
	pairs := make([]any, 0, 2*keys)
	for i := range keys {
		pairs = append(pairs, fmt.Sprintf(format, i), i)
	}
	if err := client.MSet(context.Background(), pairs...).Err(); err != nil {
		t.Fatalf("fill the test's Redis: %v", err)
	}
}
