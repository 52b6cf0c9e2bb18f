package backendtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSH is a running OpenSSH server that lets the user of the tests in by a key.
type SSH struct {
	Host         string // ssh://user@127.0.0.1:port
	Address      string
	IdentityFile string // a key that it takes
	Locked       string // the same key, encrypted with Passphrase
	Passphrase   string
	Stranger     string // a key that it does not take
	KnownHosts   string // a file with its own key

	dir     string
	key     ssh.PublicKey // its own
	process *server
}

// WithSSH starts a server and stores it in *to.
func WithSSH(to **SSH) Backend {
	return func() (func(), error) {
		s, err := StartSSH()
		if err != nil {
			return nil, err
		}
		*to = s
		return s.Stop, nil
	}
}

// separation is a folder that OpenSSH wants where root starts it.
const separation = "/run/sshd"

// StartSSH starts a server with a configuration and keys of its own, on a free port.
// The caller stops it; should it not, the server ends with the process.
func StartSSH() (*SSH, error) {
	path, err := binary("sshd", "apt-get install -y openssh-server", "/usr/sbin")
	if err != nil {
		return nil, err
	}
	dir, err := folder(nil)
	if err != nil {
		return nil, err
	}
	s := &SSH{dir: dir, Passphrase: "key-secret", IdentityFile: filepath.Join(dir, "id"), Locked: filepath.Join(dir, "locked"), Stranger: filepath.Join(dir, "stranger"), KnownHosts: filepath.Join(dir, "known_hosts")}
	if err := s.start(path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *SSH) start(path string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("find out who runs the tests: %w", err)
	}
	s.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.Host = "ssh://" + me.Username + "@" + s.Address
	if s.key, err = s.makeKey("host_key", ""); err != nil {
		return err
	}
	if _, err := s.makeKey("stranger", ""); err != nil {
		return err
	}
	own, err := s.makeKey("id", "locked")
	if err != nil {
		return err
	}
	if err := s.Know(s.Address); err != nil {
		return err
	}
	config := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host_key\nAuthorizedKeysFile %[2]s/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPrintMotd no\nPrintLastLog no\n", port, s.dir)
	for name, text := range map[string][]byte{"authorized_keys": ssh.MarshalAuthorizedKey(own), "sshd_config": []byte(config)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			return fmt.Errorf("configure the test's SSH server: %w", err)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll(separation, 0o755); err != nil {
			return fmt.Errorf("make a folder that sshd wants: %w", err)
		}
	}
	command := exec.Command(path, "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	command.Dir = s.dir
	s.process, err = serve(command, nil, syscall.SIGKILL, "Server listening on")
	return err
}

// makeKey makes a key pair and writes the private one to files in the server's
// folder, to the second encrypted.
func (s *SSH) makeKey(plain, locked string) (ssh.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "runbook test")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, plain), pem.EncodeToMemory(block), 0o600)
	}
	if err == nil && locked != "" {
		if block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "runbook test", []byte(s.Passphrase)); err == nil {
			err = os.WriteFile(filepath.Join(s.dir, locked), pem.EncodeToMemory(block), 0o600)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keep a key: %w", err)
	}
	return key, nil
}

// Know adds the server's key to its KnownHosts under another address, such as that
// of a proxy before it.
func (s *SSH) Know(address string) error {
	known, err := os.OpenFile(s.KnownHosts, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("make the test's server known: %w", err)
	}
	_, err = fmt.Fprintln(known, knownhosts.Line([]string{knownhosts.Normalize(address)}, s.key))
	return errors.Join(err, known.Close())
}

// Stop ends the server and removes its folder.
func (s *SSH) Stop() {
	s.process.stop(syscall.SIGKILL)
	os.RemoveAll(s.dir)
}
