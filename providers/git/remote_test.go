package git_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

const password = "hunter2-s3cret"

// serve hands the remotes of a room out over HTTP, by git's own server program,
// to whoever knows the password.
func (r *room) serve() string {
	r.t.Helper()
	backend := filepath.Join(r.git("", "--exec-path"), "git-http-backend")
	handler := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ana"}, Stderr: r.t.Output()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		user, given, _ := request.BasicAuth()
		switch {
		case user == "stranger":
			http.Error(w, "no", http.StatusForbidden)
		case user != "ana" || given != password:
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who?", http.StatusUnauthorized)
		default:
			handler.ServeHTTP(w, request)
		}
	}))
	r.t.Cleanup(server.Close)
	r.git(r.bare, "config", "http.receivepack", "true")
	r.git(r.here, "remote", "set-url", "origin", server.URL+"/remote.git")
	return server.URL
}

func TestOverHTTP(t *testing.T) {
	r := newRoom(t)
	address := r.serve()
	newest := r.elsewhere("a.txt", "a\n")
	h := r.harness(map[string]any{"username": "ana", "password": password})
	equal(t, 1, done(t, h.Probe("in_sync", nil))["behind"])
	equal(t, newest, done(t, h.Act("pull", nil))["head"])
	r.write(r.here, "dvc.lock", "three\n")
	done(t, h.Act("add", map[string]any{"paths": []string{"dvc.lock"}}))
	done(t, h.Act("commit", map[string]any{"message": "three"}))
	d := h.Preview("push", nil)
	equal(t, schema.Impact{"commits": 1, "files": 1}, d.Impact)
	if !strings.HasPrefix(d.Effects[0].Resource, "http://") || !strings.HasSuffix(d.Effects[0].Resource, "/remote.git/refs/heads/main") {
		t.Errorf("got %v", d.Effects)
	}
	equal(t, r.head(), done(t, h.Act("push", nil))["commit"])
	done(t, h.Act("clone", map[string]any{"repo": filepath.Join(t.TempDir(), "clone"), "url": address + "/remote.git"}))

	for name, test := range map[string]struct {
		config map[string]any
		code   string
	}{
		"no password":          {nil, "authentication_failed"},
		"a wrong password":     {map[string]any{"username": "ana", "password": "guess-me-not"}, "authentication_failed"},
		"a user without right": {map[string]any{"username": "stranger", "password": password}, "permission_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			h := r.harness(test.config)
			fails(t, h.Probe("in_sync", nil), schema.FailedClean, test.code)
			refused(t, h.Preview("pull", nil), test.code)
			for _, action := range []string{"fetch", "pull", "push"} {
				f := fails(t, h.Act(action, nil), schema.FailedClean, test.code, "remote origin, "+address)
				if told := fmt.Sprint(f, h.Logs()); strings.Contains(told, "guess-me-not") || strings.Contains(told, password) {
					t.Errorf("the password is told: %s", told)
				}
			}
			fails(t, h.Act("clone", map[string]any{"repo": filepath.Join(t.TempDir(), "clone"), "url": address + "/remote.git"}), schema.FailedClean, test.code)
		})
	}
	r.git(r.here, "remote", "set-url", "origin", address+"/none.git")
	fails(t, h.Probe("in_sync", nil), schema.FailedClean, "remote_not_found")
}

// The password goes to the remote's own host and to no other.
func TestPasswordIsForItsHost(t *testing.T) {
	r := newRoom(t)
	address := r.serve()
	var asked []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		asked = append(asked, request.Header.Get("Authorization"))
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who?", http.StatusUnauthorized)
	}))
	defer other.Close()
	away := httptest.NewServer(http.RedirectHandler(other.URL+"/remote.git/info/refs?service=git-upload-pack", http.StatusFound))
	defer away.Close()
	r.git(r.here, "remote", "set-url", "origin", away.URL+"/remote.git")
	h := r.harness(map[string]any{"username": "ana", "password": password})
	fails(t, h.Probe("in_sync", nil), schema.FailedClean, "authentication_failed")
	equal(t, []string{""}, asked)

	// One that stands in the URL is not repeated.
	r.git(r.here, "remote", "set-url", "origin", strings.Replace(address, "http://", "http://ana:"+password+"@", 1)+"/remote.git")
	plain := r.harness(nil)
	equal(t, address+"/remote.git", done(t, plain.Probe("in_sync", nil))["url"])
	told := fmt.Sprint(plain.Preview("fetch", nil), plain.Act("fetch", nil), plain.Logs())
	r.git(r.here, "remote", "set-url", "origin", strings.Replace(address, "http://", "http://ana:"+password+"@", 1)+"/none.git")
	told += fmt.Sprint(plain.Preview("push", nil), plain.Act("push", nil).Failure, plain.Logs())
	if strings.Contains(told, password) {
		t.Errorf("the password is told: %s", told)
	}
}

func TestUnreachable(t *testing.T) {
	r := newRoom(t)
	for name, test := range map[string]struct{ url, code string }{
		"HTTP refused":   {fmt.Sprintf("http://127.0.0.1:%d/x.git", backendtest.Refused(t)), "connection_refused"},
		"git refused":    {fmt.Sprintf("git://127.0.0.1:%d/x.git", backendtest.Refused(t)), "connection_refused"},
		"SSH refused":    {fmt.Sprintf("ssh://git@127.0.0.1:%d/x.git", backendtest.Refused(t)), "connection_refused"},
		"host unknown":   {"http://no-such-host.invalid/x.git", "host_unknown"},
		"SSH host":       {"git@no-such-host.invalid:x.git", "host_unknown"},
		"no repository":  {t.TempDir(), "remote_not_found"},
		"no such folder": {filepath.Join(t.TempDir(), "none"), "remote_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			r.git(r.here, "remote", "set-url", "origin", test.url)
			fails(t, r.Probe("in_sync", nil), schema.FailedClean, test.code)
			refused(t, r.Preview("push", nil), test.code)
			for _, action := range []string{"fetch", "pull", "push"} {
				fails(t, r.Act(action, nil), schema.FailedClean, test.code)
			}
		})
	}
}

// A server that takes the connection and says nothing: the deadline ends it, and
// no process stays.
func TestBlackhole(t *testing.T) {
	r := newRoom(t)
	r.git(r.here, "remote", "set-url", "origin", fmt.Sprintf("http://127.0.0.1:%d/x.git", backendtest.Blackhole(t)))
	soon := func() sdktest.Option { return sdktest.Deadline(time.Now().Add(300 * time.Millisecond)) }
	fails(t, r.Probe("in_sync", nil, soon()), schema.FailedClean, "timeout")
	fails(t, r.Act("fetch", nil, soon()), schema.FailedClean, "timeout")
	equal(t, "[]", children(t))
}

func TestSSHAsksNobody(t *testing.T) {
	r := newRoom(t)
	folder := t.TempDir()
	said := filepath.Join(folder, "said")
	script := filepath.Join(folder, "ssh")
	r.write(folder, "ssh", "#!/bin/sh\nprintf '%s\\n' \"$@\" > '"+said+"'\necho 'Host key verification failed.' >&2\nexit 255\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	r.git(r.here, "remote", "set-url", "origin", "ssh://git@git.example.com/x.git")
	h := r.harness(map[string]any{"ssh_key": "/keys/it's mine", "known_hosts": "/keys/known hosts"})
	fails(t, h.Probe("in_sync", nil), schema.FailedClean, "host_key_unknown", "known_hosts")
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"BatchMode=yes\n", "StrictHostKeyChecking=yes\n", "-i\n/keys/it's mine\n", "UserKnownHostsFile=/keys/known hosts\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("ssh was not given %q:\n%s", want, text)
		}
	}
}

// Hooks run only where the configuration says so, and then nothing is known of
// what an action touches.
func TestHooks(t *testing.T) {
	r := newRoom(t)
	ran := filepath.Join(t.TempDir(), "ran")
	for _, hook := range []string{"pre-commit", "post-commit", "post-checkout", "post-merge", "pre-push", "reference-transaction"} {
		r.write(r.here, ".git/hooks/"+hook, "#!/bin/sh\necho "+hook+" >> '"+ran+"'\n")
		if err := os.Chmod(filepath.Join(r.here, ".git/hooks", hook), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	work := func(h *sdktest.Harness) {
		r.elsewhere("theirs.txt", time.Now().String())
		done(t, h.Act("pull", nil))
		r.write(r.here, "mine.txt", time.Now().String())
		done(t, h.Act("add", map[string]any{"paths": []string{"mine.txt"}}))
		done(t, h.Act("commit", map[string]any{"message": "mine"}))
		done(t, h.Act("push", nil))
		done(t, h.Act("checkout", map[string]any{"ref": "good-1"}))
		done(t, h.Act("checkout", map[string]any{"ref": "main"}))
	}
	work(r.Harness)
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("hooks ran: %s", text)
	}
	r.git(r.theirs, "pull", "--quiet")
	h := r.harness(map[string]any{"hooks": true})
	work(h)
	text, err := os.ReadFile(ran)
	if err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"pre-commit", "post-checkout", "post-merge", "pre-push"} {
		if !strings.Contains(string(text), hook+"\n") {
			t.Errorf("%s did not run", hook)
		}
	}
	for action, args := range map[string]map[string]any{"pull": nil, "push": nil, "fetch": nil, "add": {"paths": []string{"mine.txt"}}, "checkout_paths": {"ref": "HEAD", "paths": []string{"mine.txt"}}} {
		if d := h.Preview(action, args); !d.Undeclared || d.Effects != nil {
			t.Errorf("%s with hooks previewed as %+v", action, d)
		}
	}
}

// An action that is cancelled in the middle ends with all its children, and can
// be done again. The filter hangs until the test lets it go.
func TestCancelled(t *testing.T) {
	for action, args := range map[string]map[string]any{
		"pull":           nil,
		"checkout":       {"ref": "good-1"},
		"checkout_paths": {"ref": "good-1", "paths": []string{"dvc.lock"}},
	} {
		t.Run(action, func(t *testing.T) {
			r := newRoom(t)
			r.elsewhere("dvc.lock", "three\n")
			folder := t.TempDir()
			begun := filepath.Join(folder, "begun")
			r.git("", "init", "--quiet", folder)
			if said, err := exec.Command("mkfifo", begun).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			r.write(r.here, ".git/info/attributes", "dvc.lock filter=slow\n")
			r.git(r.here, "config", "filter.slow.smudge", "echo > '"+begun+"'; sleep 300")
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = os.ReadFile(begun) // returns once the filter has begun
				cancel()
			}()
			f := fails(t, r.Act(action, args, sdktest.Context(ctx)), schema.FailedPartial, "cancelled")
			if !strings.Contains(f.Message, "cancelled while git was at ") {
				t.Error(f)
			}
			equal(t, "[]", children(t))
			r.git(r.here, "config", "--unset", "filter.slow.smudge")
			done(t, r.Act(action, args))
		})
	}
}

// Somebody else's git is at work, or was killed there.
func TestLockHeld(t *testing.T) {
	r := newRoom(t)
	r.elsewhere("a.txt", "a\n")
	r.write(r.here, "new.txt", "new\n")
	r.write(r.here, ".git/index.lock", "")
	for action, args := range map[string]map[string]any{
		"pull": nil, "checkout": {"ref": "good-1"}, "add": {"paths": []string{"new.txt"}}, "checkout_paths": {"ref": "good-1", "paths": []string{"dvc.lock"}},
	} {
		f := fails(t, r.Act(action, args), schema.FailedClean, "lock_held", "index.lock")
		equal(t, true, f.Retryable)
	}
	equal(t, false, done(t, r.Probe("status", nil))["ok"]) // looking needs no lock
}

// A repository of another user is not trusted: what it names could be run.
func TestAnotherOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root can make files of another user: run as one's own, nothing is proven here")
		return
	}
	r := newRoom(t)
	for _, path := range []string{r.here, filepath.Join(r.here, ".git")} {
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	}
	fails(t, r.Probe("status", nil), schema.FailedClean, "dubious_ownership", "trust_owner")
	done(t, r.harness(map[string]any{"trust_owner": true}).Probe("status", nil))
}

// Everything that Describe says comes from the arguments alone.
func TestDescribeLooksAtNothing(t *testing.T) {
	h := (&room{t: t, here: "/srv/app"}).harness(nil)
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"git", "-C", "/srv/app", "pull", "--ff-only", "origin", "main"},
		Summary: "fast-forwards main to what origin has",
		Effects: []schema.Effect{{Resource: "file:///srv/app", Mode: schema.Write}, {Resource: "file:///srv/app/.git/remotes/origin", Mode: schema.Read}},
	}, h.Describe("pull", map[string]any{"branch": "main"}))
	equal(t, schema.Description{
		Settling: schema.Observed, Command: []string{"git", "-C", "/srv/app", "commit", "-m", "x"}, Summary: "commits what is staged",
		Effects: []schema.Effect{{Resource: "file:///srv/app/.git", Mode: schema.Write}},
	}, h.Describe("commit", map[string]any{"message": "x"}))
	refused(t, h.Describe("push", map[string]any{"remote": "https://ana:hunter2@x/y"}), "invalid_argument")
	if f := h.Describe("push", map[string]any{"remote": "https://ana:hunter2@x/y"}).Failure; strings.Contains(f.Message, "hunter2") {
		t.Error(f)
	}
}

// What became of a commit that was cut off is seen by looking.
func TestCommitCutOff(t *testing.T) {
	for hook, want := range map[string]schema.State{"pre-commit": schema.FailedClean, "post-commit": schema.Done} {
		t.Run(hook, func(t *testing.T) {
			r := newRoom(t)
			begun := filepath.Join(t.TempDir(), "begun")
			if said, err := exec.Command("mkfifo", begun).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			r.write(r.here, ".git/hooks/"+hook, "#!/bin/sh\necho > '"+begun+"'\nsleep 300\n")
			if err := os.Chmod(filepath.Join(r.here, ".git/hooks", hook), 0o755); err != nil {
				t.Fatal(err)
			}
			r.write(r.here, "dvc.lock", "three\n")
			done(t, r.Act("add", map[string]any{"paths": []string{"dvc.lock"}}))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = os.ReadFile(begun) // returns once the hook has begun
				cancel()
			}()
			h := r.harness(map[string]any{"hooks": true})
			args := map[string]any{"message": "three"}
			equal(t, want, h.Act("commit", args, sdktest.Key("cut"), sdktest.Context(ctx)).State)
			equal(t, want, h.Settle("commit", args, sdktest.Key("cut")).State)
			equal(t, "[]", children(t))
		})
	}
}
