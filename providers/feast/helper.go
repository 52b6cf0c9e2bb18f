package feast

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// helper is the long-lived process that answers probes; it is started by the
// first question, and again after its death. Safe for concurrent use.
type helper struct {
	config Config
	mode   mode

	mu      sync.Mutex
	running *process
	closed  bool
}

// ask waits for the answer to one question, or for the end of ctx: the child
// that works on it is then killed.
func (h *helper) ask(ctx context.Context, op string, args map[string]any, into any) error {
	for again := true; ; again = false {
		p, err := h.process()
		if err != nil {
			return err
		}
		last, err := p.ask(ctx, request{Op: op, Repo: h.config.Repo, Args: args})
		if errors.Is(err, errEnded) && again && ctx.Err() == nil {
			continue // a question changes nothing: it may be asked again
		}
		if err != nil {
			return err
		}
		return last.result(into)
	}
}

func (h *helper) process() (*process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errors.New("the provider is closed")
	}
	if h.running == nil || h.running.over() {
		started, err := start(h.config, h.mode)
		if err != nil {
			return nil, err
		}
		h.running = started
	}
	return h.running, nil
}

func (h *helper) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.running != nil {
		h.running.kill()
		<-h.running.ended
	}
}

// errEnded says that the process ended before it answered.
var errEnded = errors.New("the process of Feast ended")

// process is one running helper.
type process struct {
	cmd    *exec.Cmd
	lines  chan []byte
	ended  chan struct{} // closed when it has been waited for
	stderr tail

	mu      sync.Mutex
	next    int64
	waiting map[int64]*question
}

// question is one that is not answered yet.
type question struct {
	last  chan message // takes one
	stage string       // guarded by process.mu
}

func start(c Config, m mode) (*process, error) {
	first, err := firstLine(m)
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd:   exec.Command(c.Python, "-c", bootstrap),
		lines: make(chan []byte), ended: make(chan struct{}),
		waiting: map[int64]*question{},
	}
	p.cmd.Env = c.environment()
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start Feast: %w", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start Feast: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, cannotStart(c, err)
	}
	go p.write(stdin, first)
	go p.read(stdout)
	return p, nil
}

// write hands lines to the process. Its standard input ends with this one,
// however this one ends: that is the process's sign to leave.
func (p *process) write(stdin io.WriteCloser, line []byte) {
	defer func() { _ = stdin.Close() }()
	for {
		if _, err := stdin.Write(line); err != nil {
			p.kill()
			return
		}
		select {
		case line = <-p.lines:
		case <-p.ended:
			return
		}
	}
}

// read hands out what the process says, until it ends.
func (p *process) read(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var m message
		if json.Unmarshal(line, &m) != nil {
			break
		}
		p.hand(m)
	}
	p.kill()
	_ = p.cmd.Wait()
	close(p.ended)
}

func (p *process) hand(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.waiting[m.ID]
	switch {
	case q == nil: // nobody waits any more
	case m.last():
		q.last <- m
		delete(p.waiting, m.ID)
	case m.Stage != "":
		q.stage = m.Stage
	}
}

func (p *process) ask(ctx context.Context, r request) (message, error) {
	p.mu.Lock()
	p.next++
	r.ID = p.next
	q := &question{last: make(chan message, 1), stage: "loading Feast"}
	p.waiting[r.ID] = q
	p.mu.Unlock()

	if err := p.send(ctx, r); err == nil {
		select {
		case m := <-q.last:
			return m, nil
		case <-p.ended:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	stage := q.stage
	delete(p.waiting, r.ID)
	p.mu.Unlock()
	select {
	case m := <-q.last: // it came in the meantime
		return m, nil
	default:
	}
	if ctx.Err() == nil {
		return message{}, &endedError{p.stderr.said()}
	}
	// Whoever asked is gone; what works on the question must not stay.
	_ = p.send(context.Background(), request{ID: r.ID, Cancel: true})
	return message{}, cut(ctx, stage)
}

func (p *process) send(ctx context.Context, r request) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("ask Feast: %w", err)
	}
	select {
	case p.lines <- append(line, '\n'):
		return nil
	case <-p.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and its children.
func (p *process) kill() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// endedError is errEnded with what the process said last.
type endedError struct{ said string }

func (e *endedError) Error() string { return errEnded.Error() + e.said }

func (e *endedError) Unwrap() error {
	return sdk.Fail("helper_died", "%s", e.Error())
}

func (e *endedError) Is(target error) bool { return target == errEnded }
