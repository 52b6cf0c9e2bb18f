package redis

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// commandTimeout bounds one answer where the call's deadline is later: every
// command used here is short on a server that is well.
const commandTimeout = 10 * time.Second

// address is the server as people write it.
func (p *provider) address() string {
	return net.JoinHostPort(p.config.Host, strconv.Itoa(p.config.Port))
}

// connect opens a connection, logs in and selects the database; the caller
// closes it. When ctx ends the connection is cut, in the middle of a command
// too. Errors are typed failures.
func (p *provider) connect(ctx context.Context) (*redis.Client, func(), error) {
	// The driver would write to stderr on its own; its errors reach us anyway.
	// Whoever connects has the process to itself.
	p.quiet.Do(logging.Disable)
	client := redis.NewClient(&redis.Options{
		Addr: p.address(), DB: p.config.DB, Username: p.config.Username, Password: p.config.Password,
		Protocol: 2, DisableIdentity: true,
		Dialer:     p.dial,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: p.config.ConnectTimeout,
		ContextTimeoutEnabled: true, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout,
		PoolSize: 1, PipelinePoolSize: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	done := func() {
		stop()
		_ = client.Close() // the server ends the connection either way
	}
	bounded, cancel := context.WithTimeout(ctx, p.config.ConnectTimeout)
	defer cancel()
	started := time.Now()
	if err := client.Ping(bounded).Err(); err != nil {
		done()
		return nil, nil, p.connectFailure(ctx, err, time.Since(started))
	}
	return client, done, nil
}

func (p *provider) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: p.config.ConnectTimeout}
	if p.config.TLS {
		return (&tls.Dialer{NetDialer: dialer, Config: &tls.Config{ServerName: p.config.Host, MinVersion: tls.VersionTLS12}}).DialContext(ctx, network, address)
	}
	return dialer.DialContext(ctx, network, address)
}

// use connects and does some work; its errors are typed failures.
func (p *provider) use(ctx context.Context, work func(*redis.Client) error) error {
	client, done, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer done()
	return p.failure(ctx, work(client))
}

// resource is the URL of the server, of the database, or of one key in it.
func (p *provider) resource(parts ...string) string {
	u := url.URL{Scheme: "redis", Host: net.JoinHostPort(sdk.EffectHost(p.config.Host), strconv.Itoa(p.config.Port))}
	text := u.String()
	for _, part := range parts {
		text += "/" + url.PathEscape(part)
	}
	return text
}

// database is the URL of the database.
func (p *provider) database() string { return p.resource(strconv.Itoa(p.config.DB)) }

// key is the URL of one key.
func (p *provider) key(name string) string { return p.resource(strconv.Itoa(p.config.DB), name) }

// cli is the redis-cli call that a person would make instead. The password
// comes from REDISCLI_AUTH; it is never in argv.
func (p *provider) cli(words ...string) []string {
	argv := []string{"redis-cli", "-e", "-h", p.config.Host, "-p", strconv.Itoa(p.config.Port), "-n", strconv.Itoa(p.config.DB)}
	if p.config.Username != "" {
		argv = append(argv, "--user", p.config.Username)
	}
	if p.config.TLS {
		argv = append(argv, "--tls")
	}
	return append(argv, words...)
}
