package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const execDoc = `Runs a program in a container that runs, without a terminal, and waits for its end. It is destructive unless effects says what it touches. An exit code outside of ok_codes
is a failure after which something may have changed. Cancelled, the program is ended too, where the engine is on this machine and its processes may be signalled; elsewhere the
failure says where it runs on. An engine has no way to end it that works everywhere, and where runbook itself is killed nobody ends it.`

type execArgs struct {
	Container  string               `runbook:"container" doc:"Name or ID of the container."`
	Argv       []string             `runbook:"argv" doc:"Program and arguments, run without a shell. Everybody on the machine can see them: keep secrets out."`
	Env        map[string]string    `runbook:"env,optional,sensitive" doc:"Environment variables besides the container's."`
	Dir        string               `runbook:"dir,optional" doc:"Working directory in the container; without one, the container's."`
	User       string               `runbook:"user,optional" doc:"User, and after a colon group, to run as; without one, the container's."`
	Stdin      string               `runbook:"stdin,optional" doc:"Text on the program's standard input; without it that is empty."`
	OKCodes    []int                `runbook:"ok_codes" default:"[0]" doc:"Exit codes that mean success."`
	Effects    []sdk.DeclaredEffect `runbook:"effects,optional" doc:"What the program touches: resources as URLs, each with the mode read, write (where none is given) or delete, which makes it destructive. An empty list says: nothing. Without it the action runs alone and counts as destructive."`
	Idempotent bool                 `runbook:"idempotent" default:"false" doc:"Whether running it again after half a run is harmless."`
}

type execResult struct {
	sdk.Result
	Stdout    string  `runbook:"stdout" doc:"Standard output, trailing newlines taken off; at most the first MiB."`
	Stderr    string  `runbook:"stderr" doc:"Standard error, likewise."`
	ExitCode  int     `runbook:"exit_code" doc:"Exit code; 126 or 127 where the program could not be started, 128 plus the signal's number where a signal ended it."`
	Duration  float64 `runbook:"duration_seconds" doc:"How long it ran."`
	Truncated bool    `runbook:"truncated" doc:"Whether a part of the output was left out."`
}

func (args execArgs) validate() *schema.Failure {
	switch {
	case args.Container == "":
		return sdk.InvalidArgument("container", "container is empty")
	case len(args.Argv) == 0 || args.Argv[0] == "":
		return sdk.InvalidArgument("argv", "argv names no program")
	}
	for name, value := range args.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return sdk.InvalidArgument("env", "a variable in env has a name or value that no environment can hold")
		}
	}
	_, _, f := sdk.DeclaredEffects(args.Effects)
	return f
}

func (p *provider) exec(ctx context.Context, args execArgs, call *sdk.Call) (execResult, error) {
	if f := args.validate(); f != nil {
		return execResult{}, sdk.Clean(f)
	}
	e, err := p.open(ctx, 0)
	if err != nil {
		return execResult{}, sdk.Clean(err)
	}
	defer func() { _ = e.Close() }()
	patient, err := p.open(ctx, -1) // a program may say nothing for long
	if err != nil {
		return execResult{}, sdk.Clean(err)
	}
	defer func() { _ = patient.Close() }()
	options := client.ExecCreateOptions{
		Cmd: args.Argv, User: args.User, WorkingDir: args.Dir, AttachStdin: args.Stdin != "", AttachStdout: true, AttachStderr: true,
	}
	for name, value := range args.Env {
		options.Env = append(options.Env, name+"="+value)
	}
	slices.Sort(options.Env)
	if err := e.runs(ctx, args.Container); err != nil {
		return execResult{}, sdk.Clean(e.failure(ctx, err))
	}
	created, err := e.ExecCreate(ctx, args.Container, options)
	if err != nil {
		return execResult{}, sdk.Clean(e.failure(ctx, err)) // nothing has been started
	}
	r := &remote{engine: e, patient: patient, id: created.ID, stdout: &kept{log: call.Stream("stdout")}, stderr: &kept{log: call.Stream("stderr")}}
	began := time.Now()
	if err := r.run(ctx, args.Stdin); err != nil {
		return execResult{}, err
	}
	state, err := e.ExecInspect(ctx, r.id, client.ExecInspectOptions{})
	switch {
	case err != nil:
		return execResult{}, e.sent(ctx, err)
	case state.Running:
		return execResult{}, r.lost()
	}
	result := execResult{ExitCode: state.ExitCode, Duration: time.Since(began).Seconds(), Truncated: r.stdout.cut || r.stderr.cut}
	result.Stdout, result.Stderr = r.stdout.text(), r.stderr.text()
	result.Result = sdk.Result{OK: slices.Contains(args.OKCodes, state.ExitCode)}
	result.Summary = fmt.Sprintf("%s in %s exited %d after %s", args.Argv[0], args.Container, state.ExitCode, phrase.Round(time.Since(began)))
	if !result.OK {
		f := sdk.Fail("exit_code", "%s", result.Summary)
		f.Remedy = "see the step's log for what it said"
		return result, f
	}
	return result, nil
}

// runs is the failure of a container in which nothing can be run.
func (e *engine) runs(ctx context.Context, name string) error {
	c, err := e.look(ctx, name)
	switch {
	case cerrdefs.IsNotFound(err):
		return containerMissing(name)
	case err != nil:
		return err
	case c.State != "running":
		f := sdk.Fail("container_not_running", "%s", phraseOf(c))
		f.Remedy = "start it first"
		return f
	}
	return nil
}

// remote is a program in a container.
type remote struct {
	*engine
	patient        *engine // which waits for as long as it takes
	id             string
	stdout, stderr *kept
}

// run starts the program and returns once its output has ended.
func (r *remote) run(ctx context.Context, stdin string) error {
	attached, err := r.patient.ExecAttach(ctx, r.id, client.ExecAttachOptions{})
	if err != nil {
		return r.patient.sent(ctx, err)
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer attached.Close()
	ended := make(chan error, 1)
	work.Go(func() {
		_, err := stdcopy.StdCopy(r.stdout, r.stderr, attached.Reader)
		ended <- err
	})
	if stdin != "" {
		// It may end without reading all of it; a broken pipe tells nothing.
		work.Go(func() {
			_, _ = io.WriteString(attached.Conn, stdin)
			_ = attached.CloseWrite()
		})
	}
	select {
	case err := <-ended:
		if err != nil {
			return sdk.Uncertain(r.failure(ctx, err))
		}
		return nil
	case <-ctx.Done():
	}
	killed := r.kill(ended)
	attached.Close()
	f := sdk.Fail("cancelled", "the program was cancelled, and has been ended")
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f = sdk.Fail("timeout", "the program did not end in time, and has been ended")
		f.Retryable, f.Remedy = true, "allow it more time by timeout"
	}
	if !killed {
		return r.lost()
	}
	return f
}

// lost is the failure of a program that nobody could end.
func (r *remote) lost() error {
	ctx, cancel := context.WithTimeout(context.Background(), r.config.ConnectTimeout)
	defer cancel()
	f := sdk.Fail("runs_on", "the program could not be ended, and may run on in its container")
	if state, err := r.ExecInspect(ctx, r.id, client.ExecInspectOptions{}); err == nil && state.Running {
		f.Message = fmt.Sprintf("the program could not be ended: it runs on in its container, as process %d of the engine's machine", state.PID)
	}
	f.Remedy = "end it on the engine's machine, or restart the container"
	return sdk.Uncertain(f)
}

// grace is how long a cancelled program may take to end by itself.
const grace = 3 * time.Second

// kill ends the program and its process group, asked first, and tells whether
// they have ended.
func (r *remote) kill(ended <-chan error) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 3*grace)
	defer cancel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		state, err := r.ExecInspect(ctx, r.id, client.ExecInspectOptions{})
		if err != nil {
			return false
		}
		if !state.Running {
			return true
		}
		if !r.here(state.PID, state.ContainerID) || syscall.Kill(-state.PID, signal) != nil {
			return false
		}
		select {
		case <-ended:
			return r.ended(ctx)
		case <-time.After(grace):
		}
	}
	return r.ended(ctx)
}

// ended waits until the engine has noticed that the program is gone.
func (r *remote) ended(ctx context.Context) bool {
	for {
		state, err := r.ExecInspect(ctx, r.id, client.ExecInspectOptions{})
		if err != nil || !state.Running {
			return err == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(firstLook):
		}
	}
}

// here tells whether a process number of the engine's is the same here, where the
// engine is on this machine: the process is then in the container's cgroup.
func (r *remote) here(pid int, container string) bool {
	if r.at.Scheme != "unix" || pid <= 1 || container == "" {
		return false
	}
	groups, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return err == nil && strings.Contains(string(groups), container)
}

// outputLimit bounds what is kept of each of a program's streams.
const outputLimit = 1 << 20

// kept keeps the beginning of a stream, and logs all of it.
type kept struct {
	log  io.Writer
	held []byte
	cut  bool
}

func (k *kept) Write(p []byte) (int, error) {
	room := min(len(p), outputLimit-len(k.held))
	k.held = append(k.held, p[:room]...)
	k.cut = k.cut || room < len(p)
	return k.log.Write(p)
}

// text is what was kept, up to its last whole word where something was left out:
// the engine finds a secret only where all of it is there.
func (k *kept) text() string {
	text := string(k.held)
	if k.cut {
		text = text[:1+strings.LastIndexAny(text, " \t\r\n")]
	}
	return strings.ToValidUTF8(strings.TrimRight(text, "\n"), "�")
}

func (p *provider) describeExec(args execArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Undeclared: true, Destructive: true, Summary: "runs a program in a container"}
	if !call.Unknown("idempotent") && args.Idempotent {
		d.Settling = schema.Idempotent
	}
	if call.Unknown("container") || call.Unknown("argv") || call.Unknown("env") || call.Unknown("effects") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	if args.Effects != nil {
		effects, destroys, _ := sdk.DeclaredEffects(args.Effects)
		d.Undeclared, d.Destructive = false, destroys
		d.Effects = append(effects, p.config.effect(schema.Read, "containers", args.Container))
	}
	d.Summary = fmt.Sprintf("runs %s in %s", args.Argv[0], args.Container)
	if call.Unknown("dir") || call.Unknown("user") || call.Unknown("stdin") {
		return d
	}
	d.Command = []string{"docker", "exec"}
	if args.Stdin != "" {
		d.Command = append(d.Command, "--interactive")
	}
	for _, name := range slices.Sorted(maps.Keys(args.Env)) {
		d.Command = append(d.Command, "--env", name)
	}
	if args.User != "" {
		d.Command = append(d.Command, "--user", args.User)
	}
	if args.Dir != "" {
		d.Command = append(d.Command, "--workdir", args.Dir)
	}
	d.Command = append(append(d.Command, args.Container), args.Argv...)
	return d
}

func (p *provider) previewExec(ctx context.Context, args execArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	if f := args.validate(); f != nil {
		return sdk.PreviewResult{}, f
	}
	return sdk.PreviewResult{}, p.use(ctx, func(e *engine) error { return e.runs(ctx, args.Container) })
}
