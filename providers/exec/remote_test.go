package exec_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var there *backendtest.SSH

func remoteConfig() map[string]any {
	return map[string]any{"host": there.Host, "identity_file": there.IdentityFile, "known_hosts": there.KnownHosts}
}

func with(config map[string]any, more ...any) map[string]any {
	for i := 0; i < len(more); i += 2 {
		config[more[i].(string)] = more[i+1]
	}
	return config
}

// The backend is a real OpenSSH server on this machine.
func TestProofOverSSH(t *testing.T) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes")
	empty := func(t testing.TB) {
		if err := os.WriteFile(notes, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hole := backendtest.Blackhole(t)
	at := func(port int) map[string]any {
		return map[string]any{"host": strings.Replace(there.Host, there.Address, fmt.Sprintf("127.0.0.1:%d", port), 1)}
	}
	unknown := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(unknown, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	written := []any{map[string]any{"resource": "file://" + notes}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: exec.Provider,
		Config:   remoteConfig(),
		World: func(t testing.TB) any {
			text, err := os.ReadFile(notes)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			return string(text)
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: at(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: at(hole), Code: "timeout", Patience: 400 * time.Millisecond},
			{Name: "wrong key", Config: map[string]any{"identity_file": there.Stranger}, Code: "authentication_failed"},
			{Name: "not known", Config: map[string]any{"known_hosts": unknown}, Code: "host_key_unknown"},
			{Name: "another machine", Config: map[string]any{"known_hosts": impostor(t)}, Code: "host_key_changed"},
		},
		Probes: []sdktest.ProbeProof{{Name: "run", Args: map[string]any{"argv": []string{"cat", "/dev/null"}}, Refused: []sdktest.Refused{
			{Args: map[string]any{"argv": []string{"no-such-program"}}, Code: "cannot_start"},
			{Args: map[string]any{"argv": []string{"true"}, "dir": filepath.Join(dir, "none")}, Code: "invalid_argument"},
			{Args: map[string]any{"argv": []string{"true"}, "host": "ssh://root:password@127.0.0.1"}, Code: "invalid_argument"},
		}}},
		// What class the arguments make it is proved of programs here, and is the same there.
		Actions: []sdktest.ActionProof{
			{Name: "run", Setup: empty, Args: map[string]any{"script": "echo more >> notes", "dir": dir, "effects": written, "dry_run": []string{"echo", "would write"}}, Class: schema.Manual},
		},
	})
}

// impostor is a file in which the server's address has another machine's key.
func impostor(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(there.Stranger)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(there.Address)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "known_hosts")
	line := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(signer.PublicKey()))
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a program gets and says is the same there as here.
func TestProbeOverSSH(t *testing.T) {
	h := sdktest.New(t, exec.Provider(), remoteConfig())
	folder := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args map[string]any
		want answer
	}{
		"words as they are": {map[string]any{"argv": []string{"printf", `%s|`, "a b", "$c", "it's", "\n", ""}}, answer{schema.Done, "", result(true, 0, "a b|$c|it's|\n||", "")}},
		"a script":          {map[string]any{"script": "echo out\necho err >&2\nexit 3", "ok_codes": []int{3}}, answer{schema.Done, "", result(true, 3, "out", "err")}},
		"no":                {map[string]any{"argv": []string{"false"}}, answer{schema.Done, "", result(false, 1, "", "")}},
		"a folder":          {map[string]any{"argv": []string{"pwd"}, "dir": folder}, answer{schema.Done, "", result(true, 0, folder, "")}},
		"standard input":    {map[string]any{"argv": []string{"cat"}, "stdin": "a\nb\n"}, answer{schema.Done, "", result(true, 0, "a\nb", "")}},
		"a signal":          {map[string]any{"script": "kill -TERM $$"}, answer{schema.Done, "", result(false, 143, "", "")}},
		"an environment that nobody sees": {
			map[string]any{"script": `echo "$TOKEN"; tr '\0' ' ' < /proc/$$/cmdline | grep -c 'env-[s]ecret' || true`, "env": map[string]string{"TOKEN": "env-secret it's"}},
			answer{schema.Done, "", result(true, 0, "env-secret it's\n0", "")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, plain(t, h.Probe("run", test.args))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The keys of an agent open the door too.
func TestAgent(t *testing.T) {
	text, err := os.ReadFile(there.IdentityFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err == nil {
			_ = agent.ServeAgent(keys, conn) // it ends with the connection
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-served })
	h := sdktest.New(t, exec.Provider(), with(remoteConfig(), "identity_file", "", "agent", socket))
	if diff := cmp.Diff(answer{schema.Done, "", result(true, 0, "in", "")}, plain(t, h.Probe("run", map[string]any{"argv": []string{"echo", "in"}}))); diff != "" {
		t.Error(diff)
	}
}

// A key that is encrypted opens the door with its passphrase. To read
// one is made slow on purpose, so this is all that does it.
func TestEncryptedKey(t *testing.T) {
	for passphrase, want := range map[string]answer{there.Passphrase: {schema.Done, "", result(true, 0, "in", "")}, "": {schema.FailedClean, "invalid_argument", nil}} {
		h := sdktest.New(t, exec.Provider(), with(remoteConfig(), "identity_file", there.Locked, "passphrase", passphrase))
		if diff := cmp.Diff(want, plain(t, h.Probe("run", map[string]any{"argv": []string{"echo", "in"}}))); diff != "" {
			t.Errorf("%q: %s", passphrase, diff)
		}
	}
}

// begun starts a script there that writes the process ID of a child of its own to a
// pipe, and hands on what comes of it.
func begun(t *testing.T, h *sdktest.Harness, ctx context.Context, before string) (child int, outcome chan schema.Outcome) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	outcome = make(chan schema.Outcome, 1)
	go func() {
		outcome <- h.Act("run", map[string]any{"script": before + "\nsleep 300 &\necho $! > " + pipe + "\nwait"}, sdktest.Context(ctx))
	}()
	text, err := os.ReadFile(pipe) // returns once the script has written
	if err != nil {
		t.Fatal(err)
	}
	if child, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if alive(child) {
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	})
	return child, outcome
}

// A cancelled action ends with its children there, also those that ignore the
// request, and says that something may have changed.
func TestCancelKillsTheProcessGroupThere(t *testing.T) {
	for name, before := range map[string]string{"that goes when it is told": "", "that does not": "trap '' TERM"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			child, outcome := begun(t, sdktest.New(t, exec.Provider(), remoteConfig()), ctx, before)
			cancel()
			o := <-outcome
			if o.State != schema.FailedPartial || o.Failure.Code != "cancelled" {
				t.Errorf("got %s: %v", o.State, o.Failure)
			}
			gone(t, child)
		})
	}
}

// Where the machine drops in mid-command nobody knows what became of it: it goes on
// there.
func TestHostDropsInMidCommand(t *testing.T) {
	port, sever := backendtest.Severable(t, there.Address)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if err := there.Know(address); err != nil {
		t.Fatal(err)
	}
	config := with(remoteConfig(), "host", strings.Replace(there.Host, there.Address, address, 1))
	child, outcome := begun(t, sdktest.New(t, exec.Provider(), config), t.Context(), "")
	sever()
	o := <-outcome
	if o.State != schema.Unknown || o.Failure.Code != "connection_lost" || o.Failure.Remedy == "" {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
	if !alive(child) {
		t.Error("it is over there, and the test proves nothing")
	}
}

// A probe leaves nothing running behind.
func TestProbeSweepsUpThere(t *testing.T) {
	h := sdktest.New(t, exec.Provider(), remoteConfig())
	o := h.Probe("run", map[string]any{"script": "sleep 300 >/dev/null 2>&1 & echo $!"})
	child, err := strconv.Atoi(sdktest.Go(t, o.Result).(map[string]any)["stdout"].(string))
	if err != nil {
		t.Fatal(o, err)
	}
	gone(t, child)
}

func TestDescribeOverSSH(t *testing.T) {
	h := sdktest.New(t, exec.Provider(), map[string]any{"host": "ssh://ops@db1.example.com:2222"})
	d := h.Describe("run", map[string]any{
		"argv": []string{"cp", "a b", "it's"}, "dir": "/srv", "env": map[string]string{"TOKEN": "secret"}, "effects": []any{map[string]any{"resource": "file:///srv"}},
	})
	want := schema.Description{
		Settling: schema.Manual, Summary: "runs on ops@db1.example.com", Effects: []schema.Effect{{Resource: "file://db1.example.com/srv", Mode: schema.Write}},
		Command: []string{"ssh", "-p", "2222", "ops@db1.example.com", "--", "env", "-C", "/srv", "TOKEN=$TOKEN", "cp", "'a b'", `'it'\''s'`},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	d = h.Describe("run", map[string]any{"argv": []string{"true"}, "host": "http://x"})
	if d.Failure == nil || d.Failure.Argument != "host" {
		t.Errorf("%+v", d)
	}
}

// A machine that falls silent while its command is cancelled is given up, and nobody
// says that the command was stopped.
func TestCancelWhereNobodyAnswers(t *testing.T) {
	address, freeze := backendtest.Freezable(t, there.Address)
	if err := there.Know(address); err != nil {
		t.Fatal(err)
	}
	config := with(remoteConfig(), "host", strings.Replace(there.Host, there.Address, address, 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	child, outcome := begun(t, sdktest.New(t, exec.Provider(), config), ctx, "")
	freeze()
	cancel()
	o := <-outcome
	if o.State != schema.Unknown || o.Failure.Code != "cancelled" || !strings.Contains(o.Failure.Message, "not certain") {
		t.Errorf("got %s: %v", o.State, o.Failure)
	}
	if !alive(child) {
		t.Error("it is over there, and the test proves nothing")
	}
}
