package exec

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// How long another machine is waited for. What was cancelled has ten seconds to tell
// its outcome: all waits of its end together are shorter.
const (
	connectTimeout = 20 * time.Second
	aliveEvery     = 10 * time.Second // it is asked whether it is still there
	aliveFor       = 30 * time.Second // and has to answer within
	killTimeout    = 8 * time.Second  // of ending what was cancelled
	moment         = 500 * time.Millisecond
)

// remote is a program on another machine that has ended, or of which nothing is
// heard any more.
type remote struct {
	name           string
	client         *ssh.Client
	stdout, stderr *capture
	head           *header
	took           time.Duration
	err            error // it could not be started, or its end was not heard
	status         *ssh.ExitError
	ended          bool // its end was heard
	killed         bool // it was cut off, and nothing of its group is left
}

// startRemote runs the program on another machine to its end, or until ctx is done;
// then its whole process group is ended there.
//
// The program is told by standard input, of which it then gets the rest: what env
// holds is in no argument list of that machine either. The first line that comes
// back names its process group.
func (p *provider) startRemote(ctx context.Context, h *host, args Command, argv []string, log func(stream string) io.Writer) (*remote, error) {
	client, err := p.client(ctx, h)
	if err != nil {
		return nil, sdk.Clean(err)
	}
	r := &remote{name: argv[0] + " on " + h.name, client: client, stdout: &capture{limit: outputLimit}, stderr: &capture{limit: outputLimit}}
	if log != nil {
		r.stdout.log, r.stderr.log = log("stdout"), log("stderr")
	}
	hurry := context.AfterFunc(ctx, func() { _ = client.Close() }) // until it has begun, nothing is to be ended there
	defer hurry()
	session, err := client.NewSession()
	if err != nil {
		_ = client.Close()
		return nil, sdk.Clean(away(ctx, h, err))
	}
	token := make([]byte, 8)
	_, _ = rand.Read(token) // it never fails
	r.head = &header{token: hex.EncodeToString(token), rest: r.stdout, known: make(chan struct{})}
	prelude := prelude(args, argv, r.head.token)
	session.Stdin = io.MultiReader(strings.NewReader(prelude), strings.NewReader(args.Stdin))
	session.Stdout, session.Stderr = r.head, r.stderr
	began := time.Now()
	if err := session.Start(bootstrap(len(prelude))); err != nil {
		// The request may have arrived, and its answer not.
		_ = client.Close()
		return nil, sdk.Uncertain(away(ctx, h, err))
	}
	hurry()
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	watched, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { keepAlive(watched, client) })
	select {
	case r.err = <-ended:
	case <-ctx.Done():
		r.killed = r.kill()
		select {
		case r.err = <-ended:
		case <-time.After(moment):
			_ = client.Close()
			r.err = <-ended
		}
	}
	stop()
	watching.Wait()
	r.took = time.Since(began)
	if r.ended = r.err == nil || errors.As(r.err, &r.status); r.ended {
		r.err = nil
	}
	return r, nil
}

func (r *remote) close() { _ = r.client.Close() }

// bootstrap is what the machine's login shell is told: to take the given number of
// bytes from standard input for a POSIX shell's script. dd reads not one byte more.
func bootstrap(n int) string {
	return fmt.Sprintf(`exec sh -c 'p=$(dd bs=1 count=%d 2>/dev/null; echo x) && eval "${p%%x}"'`, n)
}

// prelude is that script. Its first words say, behind the token, which process group
// it is and whether the program can be started.
func prelude(args Command, argv []string, token string) string {
	var b strings.Builder
	say := func(word string) string { return fmt.Sprintf("printf '%s %%s %s\\n' \"$$\"", token, word) }
	b.WriteString("unset SSH_CLIENT SSH2_CLIENT\n") // by these bash takes a script for a login, and reads bashrc
	if args.Dir != "" {
		fmt.Fprintf(&b, "cd -- %s 2>/dev/null || { %s; exit 127; }\n", word(args.Dir), say("no_folder"))
	}
	for _, name := range slices.Sorted(maps.Keys(args.Env)) {
		fmt.Fprintf(&b, "%s=%s; export %s\n", name, word(args.Env[name]), name)
	}
	fmt.Fprintf(&b, "command -v -- %s >/dev/null 2>&1 || { %s; exit 127; }\n", word(argv[0]), say("no_program"))
	fmt.Fprintf(&b, "%s\nexec", say("begins"))
	for _, w := range argv {
		b.WriteString(" " + word(w))
	}
	b.WriteString("\n")
	return b.String()
}

// word is a text as a POSIX shell reads it back.
func word(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// header takes the first line off a program's output, and what a login shell's
// start-up files may have said before it.
type header struct {
	token string
	rest  io.Writer
	known chan struct{} // closed once group and word are set

	mu    sync.Mutex
	early []byte
	group int    // process group; 0: not known yet
	word  string // begins, no_folder or no_program
}

// longestEarly bounds what may come before the first line.
const longestEarly = 64 << 10

func (h *header) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.word != "" {
		return h.rest.Write(p)
	}
	h.early = append(h.early, p...)
	at := bytes.Index(h.early, []byte(h.token+" "))
	if at < 0 {
		if len(h.early) > longestEarly {
			h.early = h.early[len(h.early)-longestEarly/2:]
		}
		return len(p), nil
	}
	line, rest, whole := bytes.Cut(h.early[at:], []byte("\n"))
	if !whole {
		return len(p), nil
	}
	fields := strings.Fields(string(line))
	if len(fields) == 3 {
		h.group, _ = strconv.Atoi(fields[1]) // 0 is nobody's
		h.word = fields[2]
		close(h.known)
	}
	h.early = nil
	if len(rest) > 0 {
		_, err := h.rest.Write(rest)
		return len(p), err
	}
	return len(p), nil
}

func (h *header) said() (int, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.group, h.word
}

// kill ends the program's process group: kindly, then for certain. It tells whether
// nothing of the group is left.
func (r *remote) kill() bool {
	select {
	case <-r.head.known:
	case <-time.After(moment):
		return false
	}
	group, _ := r.head.said()
	if group <= 1 {
		return false
	}
	return r.tell(fmt.Sprintf(endGroup, group), killTimeout) == nil
}

// endGroup ends a process group, kindly at first, and after two seconds for certain.
// Its shell leads a group of its own as well: where that cannot be asked for, the
// answer of the other says nothing. Not every sleep knows parts of a second.
const endGroup = `g=%d
kill -s 0 -- -$$ 2>/dev/null || exit 3
kill -s TERM -- -$g 2>/dev/null
if sleep 0.1 2>/dev/null; then s=0.1 k=20; else s=1 k=2; fi
n=0
while kill -s 0 -- -$g 2>/dev/null; do
  [ $n -ne $k ] || kill -s KILL -- -$g 2>/dev/null
  [ $n -le $((4*k)) ] || exit 1
  sleep $s
  n=$((n+1))
done
exit 0`

// sweep ends what a probe has left running.
func (r *remote) sweep() {
	if group, _ := r.head.said(); group > 1 {
		_ = r.tell(fmt.Sprintf("kill -s KILL -- -%d 2>/dev/null; exit 0", group), killTimeout)
	}
}

// tell runs a few words of shell beside the program. A machine that does not answer
// to them in time is given up: the connection is closed.
func (r *remote) tell(script string, bound time.Duration) error {
	done := make(chan error, 1)
	go func() {
		session, err := r.client.NewSession()
		if err == nil {
			err = session.Run("exec sh -c " + word(script))
			_ = session.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(bound):
		_ = r.client.Close()
		<-done
		return errors.New("it takes too long")
	}
}

// keepAlive closes a connection whose other end does not answer any more.
func keepAlive(ctx context.Context, client *ssh.Client) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case <-ctx.Done():
			return // what is asked ends with the connection, which is closed now
		case err := <-answered:
			if err != nil {
				return // the connection is gone: whoever waits for the program hears of it
			}
		case <-time.After(aliveFor):
			_ = client.Close()
			<-answered
			return
		}
	}
}

// output tells how the program ended, as program.output does.
func (r *remote) output(ctx context.Context) (Output, error) {
	code, what := "cancelled", "was cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code, what = "timeout", "did not end in time"
	}
	var out Output
	var cutOut, cutErr bool
	out.Stdout, cutOut = r.stdout.text()
	out.Stderr, cutErr = r.stderr.text()
	out.Truncated, out.Duration = cutOut || cutErr, r.took.Seconds()
	_, began := r.head.said()
	switch took := r.took.Round(time.Millisecond); {
	case ctx.Err() != nil:
		out.Result = sdk.NotOK("%s was cut off after %s", r.name, took)
		out.ExitCode = exitCode(r.status)
		failure := sdk.Fail(code, "%s %s and was stopped after %s%s", r.name, what, took, lastLine(out.Stderr))
		if !r.killed {
			failure.Message = fmt.Sprintf("%s %s after %s, and it is not certain that it was stopped", r.name, what, took)
			failure.Remedy = "see on that machine whether it still works"
			return out, sdk.Uncertain(failure)
		}
		return out, failure
	case !r.ended:
		out.Result = sdk.NotOK("%s was not heard of to its end", r.name)
		failure := sdk.Fail("connection_lost", "the connection broke after %s, before %s had ended: it may go on there", took, r.name)
		failure.Remedy = "see on that machine what became of it"
		return out, sdk.Uncertain(failure)
	case began == "no_folder":
		return Output{}, sdk.Clean(sdk.InvalidArgument("dir", "the working directory is not a folder that can be entered there"))
	case began == "no_program":
		f := sdk.Fail("cannot_start", "there is no program %s", r.name)
		f.Remedy = "install it there, or give its path: it is looked up in the PATH of the login"
		return Output{}, sdk.Clean(f)
	case began == "":
		f := sdk.Fail("cannot_start", "%s was not started: the login there ended with code %d%s", r.name, exitCode(r.status), lastLine(out.Stderr))
		f.Remedy = "see what the user's login shell does there: it has to run commands, and sh and dd have to be there"
		return Output{}, sdk.Clean(f)
	}
	out.ExitCode = exitCode(r.status)
	return out, nil
}

func exitCode(status *ssh.ExitError) int {
	switch {
	case status == nil:
		return 0
	case status.Signal() != "":
		return 128 + signals[status.Signal()]
	}
	return status.ExitStatus()
}

// signals are the numbers of those that SSH names.
var signals = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}

func (r *remote) summary(out Output) string {
	said := fmt.Sprintf("%s exited %d after %s", r.name, out.ExitCode, r.took.Round(time.Millisecond))
	if r.status != nil && r.status.Signal() != "" {
		said = fmt.Sprintf("%s was ended by the signal %s after %s", r.name, r.status.Signal(), r.took.Round(time.Millisecond))
	}
	if out.ExitCode != 0 {
		said += lastLine(out.Stderr)
	}
	if out.Truncated {
		said += " (output truncated)"
	}
	return said
}
