package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how other machines are reached. Without a host programs run on this one.
type Config struct {
	Host         string `runbook:"host,optional" doc:"Another machine to run on, as ssh://user@host or ssh://user@host:port; an operation may name one of its own. Without it this machine."`
	IdentityFile string `runbook:"identity_file,optional" doc:"Private key to log in with; without it and without agent the usual ones of ~/.ssh."`
	Passphrase   string `runbook:"passphrase,optional,sensitive" doc:"What the private key is encrypted with."`
	Agent        string `runbook:"agent,optional" doc:"Socket of an SSH agent whose keys may be used, such as the value of SSH_AUTH_SOCK."`
	KnownHosts   string `runbook:"known_hosts,optional" doc:"File of the keys of known machines; without it ~/.ssh/known_hosts. One that is not in it is not talked to."`
}

// host is another machine.
type host struct {
	user, name, port string
}

// address is what is dialled.
func (h host) address() string { return net.JoinHostPort(h.name, h.port) }

func (h host) String() string { return h.user + "@" + h.name }

// parseHost reads ssh://user@host:port; nil where there is none.
func parseHost(said string) (*host, *schema.Failure) {
	if said == "" {
		return nil, nil
	}
	u, err := url.Parse(said)
	if err != nil || u.Scheme != "ssh" || u.Hostname() == "" || u.User.Username() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, sdk.InvalidArgument("host", "it is not of the form ssh://user@host or ssh://user@host:port")
	}
	if _, has := u.User.Password(); has {
		return nil, sdk.InvalidArgument("host", "it holds a password; log in with a key or an agent")
	}
	if strings.HasPrefix(u.Hostname(), "-") || strings.HasPrefix(u.User.Username(), "-") {
		return nil, sdk.InvalidArgument("host", "neither user nor host begins with a hyphen")
	}
	h := &host{user: u.User.Username(), name: u.Hostname(), port: u.Port()}
	if h.port == "" {
		h.port = "22"
	}
	return h, nil
}

// client connects and logs in. Whatever fails is clean: nothing was started.
func (p *provider) client(ctx context.Context, h *host) (*ssh.Client, error) {
	known, failure := p.knownHosts()
	if failure != nil {
		return nil, failure
	}
	signers, done, failure := p.signers()
	if failure != nil {
		return nil, failure
	}
	defer done()
	var refused error // why the machine is not the one it should be
	trusted := false
	config := &ssh.ClientConfig{
		User: h.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signers...)}, ClientVersion: "SSH-2.0-runbook",
		HostKeyAlgorithms: algorithms(known, h),
		HostKeyCallback: func(address string, remote net.Addr, key ssh.PublicKey) error {
			refused = known(address, remote, key)
			if trusted = refused == nil; !trusted {
				refused = strange(h, key, refused)
			}
			return refused
		},
	}
	bounded, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(bounded, "tcp", h.address())
	if err != nil {
		return nil, away(bounded, h, err)
	}
	stop := context.AfterFunc(bounded, func() { _ = conn.Close() })
	defer stop()
	connection, channels, requests, err := ssh.NewClientConn(conn, h.address(), config)
	switch {
	case err == nil:
		return ssh.NewClient(connection, channels, requests), nil
	case refused != nil:
		_ = conn.Close()
		return nil, refused
	case bounded.Err() != nil || isNetwork(err) || !trusted:
		_ = conn.Close()
		return nil, away(bounded, h, err)
	}
	_ = conn.Close()
	f := sdk.Fail("authentication_failed", "%s does not let %s in with any of %d keys", h.name, h.user, len(signers))
	f.Remedy = "add the public key to the user's authorized_keys there, or give another identity_file or agent"
	return nil, f
}

func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network)
}

func away(ctx context.Context, h *host, err error) *schema.Failure {
	f := exchange.Unanswered(ctx, h.address(), err)
	f.Retryable = f.Code != "cancelled"
	if f.Code == "connection_failed" {
		f.Code, f.Remedy = "not_ssh", "see whether an SSH server listens there, and what it says in its log"
	}
	return f
}

// knownHosts reads the keys of known machines.
func (p *provider) knownHosts() (ssh.HostKeyCallback, *schema.Failure) {
	path := p.config.KnownHosts
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, sdk.InvalidArgument("known_hosts", "there is no home folder to look for .ssh/known_hosts in")
		}
		path = filepath.Join(home, ".ssh", "known_hosts")
	}
	known, err := knownhosts.New(path)
	if err != nil {
		return nil, sdk.InvalidArgument("known_hosts", "the keys of known machines cannot be read: %v", err)
	}
	return known, nil
}

// algorithms are those of the keys that are known of a machine: else a server that
// has several would show one that is not.
func algorithms(known ssh.HostKeyCallback, h *host) []string {
	var unknown *knownhosts.KeyError
	if err := known(h.address(), &net.TCPAddr{IP: net.IPv4zero}, noKey{}); !errors.As(err, &unknown) {
		return nil
	}
	var all []string
	for _, key := range unknown.Want {
		if kind := key.Key.Type(); kind == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			all = append(all, kind)
		}
	}
	return all
}

// noKey is nobody's.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("it is no key") }

// strange types a machine that is not, or not known to be, the one it should be.
func strange(h *host, key ssh.PublicKey, err error) *schema.Failure {
	fingerprint := ssh.FingerprintSHA256(key)
	var unknown *knownhosts.KeyError
	if errors.As(err, &unknown) && len(unknown.Want) == 0 {
		f := sdk.Fail("host_key_unknown", "%s is not known: it shows the %s key %s", h.address(), key.Type(), fingerprint)
		f.Remedy = "have somebody who knows that machine compare the key, then add it to known_hosts"
		return f
	}
	f := sdk.Fail("host_key_changed", "%s shows the %s key %s, which is not the one that is known: it may be another machine", h.address(), key.Type(), fingerprint)
	f.Remedy = "find out why; only then replace the key in known_hosts"
	return f
}

// usual are the keys that ssh itself would try.
var usual = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// signers are the keys to log in with. done must be called once they were used.
func (p *provider) signers() (signers []ssh.Signer, done func(), failure *schema.Failure) {
	done = func() {}
	if p.config.Agent != "" {
		conn, err := net.Dial("unix", p.config.Agent)
		if err != nil {
			return nil, done, sdk.InvalidArgument("agent", "the SSH agent does not answer: %v", err)
		}
		done = func() { _ = conn.Close() }
		if signers, err = agent.NewClient(conn).Signers(); err != nil {
			done()
			return nil, func() {}, sdk.InvalidArgument("agent", "the SSH agent does not list its keys: %v", err)
		}
	}
	var files []string
	home, _ := os.UserHomeDir() // without one there are no usual keys
	switch {
	case p.config.IdentityFile != "":
		files = []string{p.config.IdentityFile}
	case p.config.Agent == "" && home != "":
		for _, name := range usual {
			files = append(files, filepath.Join(home, ".ssh", name))
		}
	}
	for _, path := range files {
		signer, err := p.key(path)
		if p.config.IdentityFile == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			done()
			return nil, func() {}, keyFailure(path, err)
		}
		signers = append(signers, signer)
	}
	if len(signers) == 0 {
		done()
		f := sdk.Fail("no_key", "there is no key to log in with")
		f.Remedy = "give identity_file or agent"
		return nil, func() {}, f
	}
	return signers, done, nil
}

func (p *provider) key(path string) (ssh.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if p.config.Passphrase != "" {
		signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(p.config.Passphrase))
		if err == nil {
			return signer, nil
		}
		if plain, plainErr := ssh.ParsePrivateKey(text); plainErr == nil { // it has none
			return plain, nil
		}
		return nil, err
	}
	return ssh.ParsePrivateKey(text)
}

func keyFailure(path string, err error) *schema.Failure {
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		return sdk.InvalidArgument("passphrase", "the key %s is encrypted: give its passphrase, or an agent", path)
	}
	return sdk.InvalidArgument("identity_file", "the key %s cannot be used: %s", path, reasonOf(err))
}

// reasonOf tells an error of a file without the file's name twice.
func reasonOf(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return fmt.Sprint(err)
}
