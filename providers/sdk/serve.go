package sdk

import (
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/runbook-engine/runbook/providers/protocol"
)

// Serve answers the engine until the engine ends or asks for the end. A
// provider's main calls it and nothing else. A process that the engine has not
// started says so and exits.
//
// Interrupts are the engine's business: this process ignores SIGINT, SIGTERM
// and SIGHUP. When the engine is gone, however it went, the process groups of
// the calls in progress are killed, and what has left them but holds no attempt
// lock, and the process exits.
func Serve(p *Provider) { ServeThrough(p, nil) }

// ServeThrough is Serve with something between the wire and the provider, for
// tests that cut calls short; nil: nothing.
func ServeThrough(p *Provider, between func(protocol.Provider) protocol.Provider) {
	PrivateMemory()
	server := NewServer(p)
	var served protocol.Provider = server
	if between != nil {
		served = between(server)
	}
	server.Stderr = os.Stderr // go-plugin replaces os.Stderr
	if h := protocol.Handshake(); os.Getenv(h.MagicCookieKey) == h.MagicCookieValue {
		go server.leaveWithEngine()
	}
	// Caught and dropped: an ignored signal would be ignored by children too. A
	// handshake that no engine reads any more ends by leaveWithEngine.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  protocol.Handshake(),
		VersionedPlugins: protocol.Plugins(served),
		GRPCServer:       protocol.NewGRPCServer,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Error}),
	})
	if err := server.Close(); err != nil {
		_, _ = io.WriteString(server.Stderr, "close: "+err.Error()+"\n")
	}
}

// leaveWithEngine reads from a pipe whose other end only the engine holds: it
// ends when the engine does, also by SIGKILL.
func (s *Server) leaveWithEngine() {
	syscall.CloseOnExec(protocol.LivenessFD)
	_, _ = io.Copy(io.Discard, os.NewFile(protocol.LivenessFD, "engine"))
	hidden := unseen(s.groups.locks()) // once their parents are gone they cannot be told
	s.groups.kill()
	killChildren()
	for _, pid := range hidden {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	removeSocket(os.Getenv(plugin.EnvUnixSocketDir))
	os.Exit(1)
}

// removeSocket removes a folder that holds a socket at most: the engine made it for
// this process, and cannot any more.
func removeSocket(folder string) {
	entries, err := os.ReadDir(folder)
	if folder == "" || err != nil {
		return
	}
	for _, e := range entries {
		if e.Type() != os.ModeSocket {
			return
		}
		_ = os.Remove(filepath.Join(folder, e.Name()))
	}
	_ = os.Remove(folder)
}
