package backendtest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
)

// Refused returns a loopback port that refuses connections until the test ends:
// it is taken by a socket that never listens, so that nobody else gets it meanwhile.
func Refused(t testing.TB) int {
	t.Helper()
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return name.(*syscall.SockaddrInet4).Port
}

// Blackhole returns a loopback port that accepts connections and never answers.
func Blackhole(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections group
	connections.accept(listener, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	t.Cleanup(func() { connections.close(listener) })
	return listener.Addr().(*net.TCPAddr).Port
}

// Cut tells a proxy when to break a connection.
type Cut struct {
	When    string // what the client has to send first, in any letter case
	After   string // what it must have sent in an earlier message, likewise; empty: nothing
	Forward bool   // the server still gets it, and its answer is swallowed

	instead func() // not nil: called, and the connection is not broken
}

// Intercept returns a loopback port that hands bytes on to target. Where Proxy
// would break the first connection, it calls fn and goes on afterwards.
func Intercept(t testing.TB, target string, cut Cut, fn func()) int {
	t.Helper()
	cut.instead = fn
	return Proxy(t, target, cut)
}

// Severable returns a loopback port that hands bytes on to target until sever
// is called: then every connection is broken, as when the client's machine dies.
func Severable(t testing.TB, target string) (port int, sever func()) {
	t.Helper()
	return proxy(t, target, Cut{})
}

// Proxy returns a loopback port that hands bytes on to target. The connection
// whose client sends what the cut waits for is broken there; one connection
// only, so that a later look finds the backend whole.
func Proxy(t testing.TB, target string, cut Cut) int {
	t.Helper()
	port, _ := proxy(t, target, cut)
	return port
}

func proxy(t testing.TB, target string, cut Cut) (int, func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections group
	var once sync.Once
	connections.accept(listener, func(client net.Conn) {
		backend, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer backend.Close()
		answers := make(chan struct{})
		gate := &gate{to: client}
		go func() {
			defer close(answers)
			io.Copy(gate, backend)
			client.Close()
		}()
		defer func() { backend.Close(); <-answers }()
		buffer := make([]byte, 64<<10)
		armed := cut.After == ""
		for {
			n, err := client.Read(buffer)
			if err != nil {
				return
			}
			says := func(what string) bool {
				return what != "" && bytes.Contains(bytes.ToLower(buffer[:n]), bytes.ToLower([]byte(what)))
			}
			switch {
			case !armed:
				armed = says(cut.After)
			case says(cut.When):
				broken := false
				once.Do(func() { broken = true })
				if broken && cut.instead != nil {
					cut.instead()
				} else if broken {
					if cut.Forward {
						gate.shut()
						backend.Write(buffer[:n])
						io.Copy(backend, client) // the rest of what it asks, until the gate ends it
					}
					return
				}
			}
			if _, err := backend.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	sever := sync.OnceFunc(func() { connections.close(listener) })
	t.Cleanup(sever)
	return listener.Addr().(*net.TCPAddr).Port, sever
}

// gate hands bytes on until it is shut; then the first that come end the
// connection, and nobody gets them.
type gate struct {
	to     net.Conn
	mu     sync.Mutex
	closed bool
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *gate) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		g.to.Close()
		return len(b), nil
	}
	return g.to.Write(b)
}

// group serves the connections of one listener and ends them together.
type group struct {
	wait sync.WaitGroup
	mu   sync.Mutex
	open map[net.Conn]bool
	over bool
}

func (g *group) accept(listener net.Listener, serve func(net.Conn)) {
	g.open = make(map[net.Conn]bool)
	g.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if !g.add(conn) {
				conn.Close()
				return
			}
			g.wait.Go(func() {
				defer g.remove(conn)
				serve(conn)
			})
		}
	})
}

func (g *group) add(conn net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.open[conn] = true
	}
	return !g.over
}

func (g *group) remove(conn net.Conn) {
	conn.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, conn)
}

func (g *group) close(listener net.Listener) {
	listener.Close()
	g.mu.Lock()
	g.over = true
	for conn := range g.open {
		conn.Close()
	}
	g.mu.Unlock()
	g.wait.Wait()
}

// Freezable returns a loopback address that hands bytes on to target until freeze is
// called: then it takes everything, and hands nothing on in either direction, as a
// machine that was cut off from the network.
func Freezable(t testing.TB, target string) (address string, freeze func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	frozen := make(chan struct{})
	pass := func(to io.Writer, from io.Reader) {
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			select {
			case <-frozen:
			default:
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
	}
	var connections group
	connections.accept(listener, func(client net.Conn) {
		backend, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		answers := make(chan struct{})
		go func() {
			defer close(answers)
			pass(client, backend)
		}()
		pass(backend, client)
		backend.Close()
		<-answers
	})
	t.Cleanup(func() { connections.close(listener) })
	return listener.Addr().String(), sync.OnceFunc(func() { close(frozen) })
}
