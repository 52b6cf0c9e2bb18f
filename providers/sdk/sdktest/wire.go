package sdktest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// connect puts the real wire between the harness and the provider, over memory.
func connect(t testing.TB, server *sdk.Server) protocol.Provider {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	s := protocol.NewGRPCServer(nil)
	protocol.Register(s, server)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	options := append(protocol.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))
	conn, err := grpc.NewClient("passthrough:provider", options...)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return protocol.NewClient(conn)
}
