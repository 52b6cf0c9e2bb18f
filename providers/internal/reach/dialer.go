package reach

import (
	"context"
	"net"
	"time"
)

// Dialer opens connections within connect, which end when nothing has moved on
// them, in either direction, for as long as silence: also those of a server that
// takes a request and never answers.
func Dialer(connect, silence time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: connect}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watched{conn, silence}, nil
	}
}

type watched struct {
	net.Conn
	silence time.Duration
}

// A write puts off the end of a read that waits for its answer, too.
func (w *watched) Write(b []byte) (int, error) {
	_ = w.SetDeadline(time.Now().Add(w.silence))
	return w.Conn.Write(b)
}

func (w *watched) Read(b []byte) (int, error) {
	_ = w.SetDeadline(time.Now().Add(w.silence))
	return w.Conn.Read(b)
}
