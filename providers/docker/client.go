package docker

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// engine is a Docker engine, open for one call: every look is a look at it as it
// is now.
type engine struct {
	*client.Client
	config Config
	at     *url.URL

	// The client does not keep why it failed.
	mu     sync.Mutex
	undone error // of the last attempt to connect
	broken error // of the last connection, where it was broken off
}

// open reaches the engine and agrees on a version of its API. An answer may take
// patience longer than answer_timeout; a negative one waits for as long as the
// call may last. The caller closes it.
func (p *provider) open(ctx context.Context, patience time.Duration) (*engine, error) {
	u, err := client.ParseHostURL(p.config.Host)
	if err != nil {
		return nil, sdk.InvalidArgument("host", "host is no address of an engine")
	}
	e := &engine{config: p.config, at: u}
	options := []client.Opt{client.WithHost(p.config.Host)}
	if folder := p.config.TLSFolder; folder != "" && u.Scheme == "tcp" {
		in := func(name string) string { return filepath.Join(folder, name) }
		options = append(options, client.WithTLSClientConfig(in("ca.pem"), in("cert.pem"), in("key.pem")))
	}
	if p.config.APIVersion != "" {
		options = append(options, client.WithAPIVersion(p.config.APIVersion))
	}
	options = append(options, client.WithDialContext(e.dialer(patience)))
	if e.Client, err = client.New(options...); err != nil {
		return nil, sdk.InvalidArgument("tls_folder", "the engine's address cannot be used: %v", err)
	}
	asked, done := context.WithTimeout(ctx, p.config.ConnectTimeout+p.config.AnswerTimeout)
	defer done()
	ping, err := e.Ping(asked, client.PingOptions{NegotiateAPIVersion: true})
	if err == nil && p.config.APIVersion != "" && ping.APIVersion != "" && versions.LessThan(ping.APIVersion, p.config.APIVersion) {
		f := sdk.Fail("api_version", "the Docker engine at %s knows its API up to %s, not %s", e.address(), ping.APIVersion, p.config.APIVersion)
		f.Remedy = "leave api_version out, or name one that the engine knows"
		err = f
	}
	if err != nil {
		_ = e.Close()
		return nil, e.failure(ctx, err)
	}
	return e, nil
}

func (e *engine) dialer(patience time.Duration) func(context.Context, string, string) (net.Conn, error) {
	dial := reach.Dialer(e.config.ConnectTimeout, e.config.AnswerTimeout+patience)
	if patience < 0 {
		dial = (&net.Dialer{Timeout: e.config.ConnectTimeout}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if e.at.Scheme == "unix" {
			network, address = "unix", e.at.Host
		}
		conn, err := dial(ctx, network, address)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.undone, e.broken = err, nil
		if err != nil {
			return nil, err
		}
		return &noted{conn, e}, nil
	}
}

// noted tells the engine why its connection broke.
type noted struct {
	net.Conn
	engine *engine
}

func (n *noted) Read(b []byte) (int, error) {
	read, err := n.Conn.Read(b)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		n.engine.mu.Lock()
		defer n.engine.mu.Unlock()
		n.engine.broken = err
	}
	return read, err
}

// CloseWrite ends what the other side reads, where the connection can: a program
// in a container waits for the end of its standard input.
func (n *noted) CloseWrite() error {
	if conn, can := n.Conn.(client.CloseWriter); can {
		return conn.CloseWrite()
	}
	return nil
}

func (e *engine) brokenOff() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broken
}

func (e *engine) unreached() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.undone
}

// address is the engine as people write it.
func (e *engine) address() string {
	if e.at.Scheme == "unix" {
		return e.at.Host
	}
	return e.config.Host
}

// use opens the engine and does some work that only looks; its errors are typed
// failures.
func (p *provider) use(ctx context.Context, work func(*engine) error) error {
	e, err := p.open(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	return e.failure(ctx, work(e))
}

// resource is the URL of something that the engine holds; the machine where it
// is on a socket.
func (c Config) resource(parts ...string) string {
	host := ""
	if u, err := url.Parse(c.Host); err == nil {
		host = u.Hostname()
	}
	path := "/"
	for i, part := range parts {
		if i > 0 {
			path += "/"
		}
		path += part
	}
	return (&url.URL{Scheme: "docker", Host: sdk.EffectHost(host), Path: path}).String()
}

// effect is one on something that the engine holds.
func (c Config) effect(mode schema.Mode, parts ...string) schema.Effect {
	return schema.Effect{Resource: c.resource(parts...), Mode: mode}
}
