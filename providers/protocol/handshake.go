package protocol

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
)

// Version is the protocol's version, which both ends of a handshake must share.
const Version = 1

// LivenessFD is the descriptor on which a provider reads and never gets a byte:
// when it ends, the engine is gone, and so must the provider and all that it
// has started be.
const LivenessFD = 3

// pluginName is the one thing that a provider's process serves.
const pluginName = "provider"

// Handshake tells a process that it was started by the engine.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  Version,
		MagicCookieKey:   "RUNBOOK_PROVIDER",
		MagicCookieValue: "f1c0a1e6-9d0b-4c53-8f57-2f6c1d0f7a34",
	}
}

// Plugins is what go-plugin serves or, with a nil provider, dispenses.
func Plugins(p Provider) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version: {pluginName: &grpcPlugin{provider: p}}}
}

// Dispense is the provider at the other end.
func Dispense(c plugin.ClientProtocol) (Provider, error) {
	raw, err := c.Dispense(pluginName)
	if err != nil {
		return nil, err
	}
	client, ok := raw.(*Client)
	if !ok {
		return nil, errors.New("the process serves something else than a provider")
	}
	return client, nil
}

// NewGRPCServer makes the server that go-plugin asks for, with our own limits.
func NewGRPCServer(options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))...)
}

// DialOptions are the client's side of the limits.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage))}
}

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	provider Provider
}

var _ plugin.GRPCPlugin = (*grpcPlugin)(nil)

func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	Register(s, p.provider)
	return nil
}

func (p *grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}

// Register serves a provider on s.
func Register(s *grpc.Server, p Provider) { wire.RegisterProviderServer(s, &server{provider: p}) }
