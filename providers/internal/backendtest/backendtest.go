// Package backendtest starts real backends for the tests of the providers: a
// PostgreSQL cluster, a Redis server and a MinIO, each in a folder of its own, on a
// loopback port that was free, and a Docker engine on a socket of its own, gone
// when the test binary is gone. It also breaks them: ports that refuse, listeners that never answer, and a proxy that
// cuts a connection at a chosen moment.
//
// A package starts one server in its TestMain and gives each test a database
// of its own:
//
//	var server *backendtest.Postgres
//
//	func TestMain(m *testing.M) { backendtest.Main(m, backendtest.WithPostgres(&server)) }
//
// A missing server binary fails the tests and says how to install it; nothing
// is ever skipped.
package backendtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds how long a server may take to say that it is ready.
const startTimeout = 60 * time.Second

// Backend starts one server; stop is never nil when err is nil.
type Backend func() (stop func(), err error)

// Main starts the backends, runs the tests and exits with their code. Call it
// from TestMain.
func Main(m *testing.M, backends ...Backend) {
	os.Exit(run(m, backends))
}

func run(m *testing.M, backends []Backend) int {
	for _, start := range backends {
		stop, err := start()
		if err != nil {
			fmt.Fprintf(os.Stderr, "backendtest: %v\n", err)
			return 1
		}
		defer stop()
	}
	return m.Run()
}

// server is one child process that is killed with the test binary.
type server struct {
	cmd    *exec.Cmd
	exited chan error // closed after the child's end was sent
}

// serve starts the command, as the given user if not nil, and returns when a
// line that it prints contains ready.
func serve(cmd *exec.Cmd, as *syscall.Credential, dying syscall.Signal, ready string) (*server, error) {
	cmd.SysProcAttr = childAttributes(as, dying)
	output, input, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	cmd.Stdout, cmd.Stderr = input, input

	s := &server{cmd: cmd, exited: make(chan error, 1)}
	started := make(chan error, 1)
	go func() {
		// The kernel sends the parent-death signal when the thread that
		// started the child ends, so this one waits for the child.
		runtime.LockOSThread()
		err := cmd.Start()
		input.Close()
		started <- err
		if err == nil {
			s.exited <- cmd.Wait()
		}
		close(s.exited)
	}()
	if err := <-started; err != nil {
		output.Close()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}

	found := make(chan string, 1)
	go func() {
		defer close(found)
		var said strings.Builder
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), ready) {
				found <- ""
				io.Copy(io.Discard, output)
				output.Close()
				return
			}
		}
		found <- said.String()
	}()
	select {
	case said := <-found:
		if said == "" {
			return s, nil
		}
		return nil, fmt.Errorf("%s ended before it was ready:\n%s", cmd.Path, said)
	case <-time.After(startTimeout):
		s.stop(syscall.SIGKILL)
		return nil, fmt.Errorf("%s was not ready within %s", cmd.Path, startTimeout)
	}
}

// stop sends the signal and waits for the child's end.
func (s *server) stop(signal syscall.Signal) {
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.cmd.Process.Kill()
	}
	for range s.exited {
	}
}

// binary finds an executable in PATH or in one of the globbed folders, newest
// version first.
func binary(name, install string, globs ...string) (string, error) {
	for _, glob := range globs {
		found, _ := filepath.Glob(filepath.Join(glob, name))
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s is not on this machine, and these tests need the real one; install it: %s", name, install)
}

// unprivileged returns the credential of the named user when this process is
// root, and nil otherwise: some servers refuse to run as root.
func unprivileged(name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("look up the user a server runs as: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// folder makes a short temporary folder owned by the credential.
func folder(as *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", "rbtest")
	if err != nil {
		return "", fmt.Errorf("make a server's folder: %w", err)
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return "", fmt.Errorf("hand over a server's folder: %w", err)
		}
	}
	return dir, nil
}

// freePort returns a loopback port on which nothing listened a moment ago.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
