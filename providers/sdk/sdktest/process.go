package sdktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// asked tells a test binary which provider it is to be.
const asked = "SDKTEST_PROVIDER"

// Serve makes this process the provider that Start or Prove has started it as,
// and exits when that is over. In a test that nobody started so it does nothing.
// TestMain calls it before anything else, with every provider that the package
// starts.
func Serve(providers ...func() *sdk.Provider) {
	name, ok := os.LookupEnv(asked)
	if !ok {
		return
	}
	for _, provider := range providers {
		if p := provider(); p.Name == name {
			sdk.ServeThrough(p, func(p protocol.Provider) protocol.Provider { return cutting{p} })
			os.Exit(0)
		}
	}
	fmt.Fprintf(os.Stderr, "sdktest: TestMain serves no provider %q\n", name)
	os.Exit(1)
}

// Where a call that is cut short ends: as the engine sees it the process died,
// and no outcome ever came.
const (
	cutBefore = "cut-before/" // before the provider has begun
	cutAfter  = "cut-after/"  // after it has done its work
)

// cutting kills its own process where a call's handle says so.
type cutting struct{ protocol.Provider }

func (c cutting) Act(ctx context.Context, op schema.Operation, emit func(protocol.Event)) (schema.Outcome, error) {
	if strings.HasPrefix(op.Handle, cutBefore) {
		die()
	}
	o, err := c.Provider.Act(ctx, op, emit)
	if strings.HasPrefix(op.Handle, cutAfter) {
		die()
	}
	return o, err
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// process is a provider in a process of its own.
type process struct {
	client *plugin.Client
	cmd    *exec.Cmd
	engine *os.File // the liveness pipe's end that an engine holds
	stderr said
}

// said collects what a process writes. Safe for concurrent use.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// launch starts this test binary as the named provider, as the engine would: a
// session of its own, a clean environment, no stdin.
func launch(name string) (*process, protocol.Provider, error) {
	if _, nested := os.LookupEnv(asked); nested {
		return nil, nil, errors.New("sdktest: TestMain must call sdktest.Serve before anything else")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = theirs.Close() }() // the child has its own
	p := &process{engine: ours}
	p.cmd = exec.Command(self, "-test.run=^$")
	p.cmd.Env = []string{asked + "=" + name}
	for _, key := range []string{"PATH", "HOME", "LANG", "TMPDIR"} {
		if value, ok := os.LookupEnv(key); ok {
			p.cmd.Env = append(p.cmd.Env, key+"="+value)
		}
	}
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  protocol.Handshake(),
		VersionedPlugins: protocol.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		GRPCDialOptions:  protocol.DialOptions(),
		Cmd:              p.cmd,
		SkipHostEnv:      true,
		Logger:           hclog.NewNullLogger(),
		Stderr:           &p.stderr,
	})
	connection, err := p.client.Client()
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("start %s: %w\n%s", name, err, p.stderr.String())
	}
	provider, err := protocol.Dispense(connection)
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, provider, nil
}

// end lets go of the process as an engine that ends.
func (p *process) end() {
	p.client.Kill()
	_ = p.engine.Close()
	p.killGroup()
}

// kill ends the process as the kernel does when memory is short.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	p.buried()
}

// buried waits until a process that was killed is gone, and clears up after it
// as the engine's host does.
func (p *process) buried() {
	p.client.Kill() // waits
	p.killGroup()
}

func (p *process) killGroup() {
	if p.cmd.Process != nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// Start is New with the provider in a process of its own, behind the real
// process border. TestMain has to call Serve.
func Start(t testing.TB, provider func() *sdk.Provider, config map[string]any) *Harness {
	t.Helper()
	p, h, err := start(t, provider, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return h
}

// start leaves it to the caller to end the process.
func start(t testing.TB, provider func() *sdk.Provider, config map[string]any) (*process, *Harness, error) {
	t.Helper()
	s := provider().Schema()
	p, served, err := launch(s.Name)
	if err != nil {
		return nil, nil, err
	}
	h := &Harness{t: t, provider: served, schema: s, locks: t.TempDir(), born: time.Now(), open: map[string]string{}}
	value, unknown := h.arguments("the configuration", s.Config, config)
	if len(unknown) > 0 {
		err = fmt.Errorf("the configuration of %s has unknown values: %v", s.Name, unknown)
	} else {
		err = served.Configure(t.Context(), value)
	}
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("configure %s: %w", s.Name, err)
	}
	return p, h, nil
}

// sensitive are the texts in a configuration that nobody may see.
func sensitive(object schema.Object, config map[string]any) []string {
	var texts []string
	for _, a := range object.Attributes {
		if !a.Sensitive {
			continue
		}
		switch held := config[a.Name].(type) {
		case string:
			texts = append(texts, held)
		case map[string]string:
			for _, text := range held {
				texts = append(texts, text)
			}
		}
	}
	return slices.DeleteFunc(texts, func(text string) bool { return len(text) < minSecret })
}

// minSecret is how short a text may be that is looked for: shorter ones turn up
// by chance.
const minSecret = 4
