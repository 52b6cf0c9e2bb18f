package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// running is a provider that has been started and configured.
type running struct {
	name     string
	provider protocol.Provider
	client   *plugin.Client // nil: in this process
	process  *process       // nil: in this process
	stderr   *tail
}

// launch starts and configures a provider.
func (h *Host) launch(name string, config cty.Value) (*running, error) {
	r, err := h.start(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.startIn)
	defer cancel()
	if err := h.asLocked(ctx, r); err != nil {
		return nil, errors.Join(h.scrubbed(err), r.close())
	}
	if err := r.provider.Configure(ctx, config); err != nil {
		var failure *schema.Failure
		if !errors.As(err, &failure) {
			err = h.lost(r, "Configure", err)
		}
		return nil, errors.Join(h.scrubbed(err), r.close())
	}
	return r, nil
}

func (h *Host) start(name string) (*running, error) {
	if provider, ok := h.opts.Catalog.InProcess(h.opts.Dir, name); ok {
		return &running{name: name, provider: provider, stderr: newTail(h.redactor)}, nil
	}
	exe, err := h.executable(name)
	if err != nil {
		return nil, notStarted(name, err, "")
	}
	began := time.Now()
	r, err := h.exec(name, exe)
	h.tellStart(name, r, began, err)
	return r, errors.Join(err, exe.close())
}

// executable is what the process of the named provider is made of.
func (h *Host) executable(name string) (*executable, error) {
	if _, ok := h.opts.Catalog.Schema(name); ok {
		return h.bundled(name)
	}
	entry, err := h.locked(name)
	if err != nil {
		return nil, err
	}
	path, err := h.find(name)
	if err != nil {
		return nil, err
	}
	return verified(path, entry.sum())
}

// exec starts a process and shakes hands with it.
func (h *Host) exec(name string, exe *executable) (*running, error) {
	logger := h.logger.Named(name)
	r := &running{name: name, stderr: newTail(h.redactor)}
	if logger.IsDebug() {
		r.stderr.each = func(line string) { logger.Debug(line) }
	}
	r.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  protocol.Handshake(),
		VersionedPlugins: protocol.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		GRPCDialOptions:  protocol.DialOptions(),
		AutoMTLS:         h.autoMTLS,
		SkipHostEnv:      true,
		StartTimeout:     h.startIn,
		Logger:           hclog.NewNullLogger(), // it knows no secrets; ours is fed by stderr
		SyncStdout:       r.stderr.writer(),
		SyncStderr:       r.stderr.writer(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: socketFolder()},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			r.process = newProcess(name, exe, h.opts.Dir, cmd.Env, r.stderr.writer())
			return r.process, nil
		},
	})
	session, err := r.client.Client()
	if err == nil {
		r.provider, err = protocol.Dispense(session)
	}
	if err == nil {
		return r, nil
	}
	why, _, _ := strings.Cut(err.Error(), "\n")
	if r.process != nil && r.process.liveness != nil {
		_ = r.process.Kill(context.Background()) // also lets the last words come in
	}
	failed := notStarted(name, errors.New(why), r.stderr.text())
	return nil, errors.Join(h.scrubbed(failed), r.close())
}

// socketFolder keeps the path of a socket within the 108 bytes that it may take.
func socketFolder() string {
	if len(os.TempDir()) > 60 {
		return "/tmp"
	}
	return ""
}

func notStarted(name string, cause error, lastWords string) error {
	return &CallError{Cause: cause, Failure: &schema.Failure{
		Code: "provider_start", Message: fmt.Sprintf("provider %s did not start: %v%s", name, cause, quote(lastWords)),
	}}
}

// quote adds a provider's last words to a sentence.
func quote(lastWords string) string {
	if lastWords == "" {
		return ""
	}
	return "; its last words:\n" + lastWords
}

// dead reports whether the process has ended.
func (r *running) dead() bool {
	if r.process == nil {
		return false
	}
	select {
	case <-r.process.exited:
		return true
	default:
		return false
	}
}

// kill ends the process and all that it works at, without asking politely.
func (r *running) kill() {
	if r.process != nil {
		_ = r.process.Kill(context.Background())
	}
}

// close asks the process to end, and sees to it that it does.
func (r *running) close() error {
	if r.client == nil {
		if closer, ok := r.provider.(interface{ Close() error }); ok {
			return closer.Close()
		}
		return nil
	}
	if r.process == nil {
		return nil
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		r.client.Kill()
	}()
	select {
	case <-asked:
	case <-time.After(exitGrace):
		r.kill()
		<-asked
	}
	return nil
}
