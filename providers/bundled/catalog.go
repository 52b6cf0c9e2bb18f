package bundled

import (
	"context"
	"fmt"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Catalog answers for bundled providers in this process: their schemas, what
// their actions would do, and those that need no process at all. Safe for
// concurrent use.
type Catalog struct {
	providers map[string]func() *sdk.Provider
	inProcess map[string]bool
	schemas   func() map[string]*schema.Provider

	mu         sync.Mutex
	configured []*configured
}

// configured is a provider that holds a configuration and answers Describe.
type configured struct {
	dir    string // the runbook's folder
	name   string
	config cty.Value
	server *sdk.Server
}

// New is the catalog of all bundled providers.
func New() *Catalog { return NewCatalog(Providers(), "core") }

// NewCatalog makes a catalog of these providers; those named in inProcess have
// no backend and are served without a process of their own.
func NewCatalog(providers map[string]func() *sdk.Provider, inProcess ...string) *Catalog {
	c := &Catalog{providers: providers, inProcess: map[string]bool{}}
	for _, name := range inProcess {
		c.inProcess[name] = true
	}
	c.schemas = sync.OnceValue(func() map[string]*schema.Provider {
		schemas := make(map[string]*schema.Provider, len(providers))
		for name, provider := range providers {
			schemas[name] = provider().Schema()
		}
		return schemas
	})
	return c
}

// Names are the bundled providers, in no order.
func (c *Catalog) Names() []string {
	names := make([]string, 0, len(c.providers))
	for name := range c.providers {
		names = append(names, name)
	}
	return names
}

// Schema is what the named provider says of itself; false where it is not
// bundled.
func (c *Catalog) Schema(name string) (*schema.Provider, bool) {
	s, ok := c.schemas()[name]
	return s, ok
}

// Describe says what an action would do under a configuration, for a runbook in
// the folder dir.
func (c *Catalog) Describe(ctx context.Context, dir, name string, config cty.Value, op schema.Operation) (schema.Description, error) {
	server, err := c.server(ctx, dir, name, config)
	if err != nil {
		return schema.Description{}, err
	}
	return server.Describe(ctx, op)
}

// ByHand says how a person does an operation in a shell under a configuration,
// for a runbook in the folder dir.
func (c *Catalog) ByHand(ctx context.Context, dir, name string, config cty.Value, op schema.Operation) (schema.ByHand, error) {
	server, err := c.server(ctx, dir, name, config)
	if err != nil {
		return schema.ByHand{}, err
	}
	return server.ByHand(ctx, op)
}

func (c *Catalog) server(ctx context.Context, dir, name string, config cty.Value) (*sdk.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.configured {
		if known.dir == dir && known.name == name && known.config.RawEquals(config) {
			return known.server, nil
		}
	}
	provider, ok := c.providers[name]
	if !ok {
		return nil, fmt.Errorf("there is no bundled provider %q", name)
	}
	server := sdk.NewServer(provider())
	server.Dir = dir
	if err := server.Configure(ctx, config); err != nil {
		return nil, err
	}
	c.configured = append(c.configured, &configured{dir: dir, name: name, config: config, server: server})
	return server, nil
}

// InProcess makes a provider that is served without a process of its own, for a
// runbook in the folder dir.
func (c *Catalog) InProcess(dir, name string) (protocol.Provider, bool) {
	if !c.inProcess[name] {
		return nil, false
	}
	server := sdk.NewServer(c.providers[name]())
	server.Dir = dir
	return server, true
}
