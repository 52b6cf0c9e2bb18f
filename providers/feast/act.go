package feast

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// act runs one action in a process of its own, which holds the attempt's lock
// and ends with the call.
func (p *provider) act(ctx context.Context, call *sdk.Call, op string, args map[string]any, into any) error {
	first, err := firstLine(mode{Once: true, Checked: op == "apply"})
	if err != nil {
		return sdk.Clean(err)
	}
	asked, err := json.Marshal(request{ID: 1, Op: op, Repo: p.config.Repo, Args: args})
	if err != nil {
		return sdk.Clean(fmt.Errorf("ask Feast: %w", err))
	}
	cmd := call.Command(ctx, p.config.Python, "-c", bootstrap)
	cmd.Env = p.config.environment()
	stderr := &tail{log: func(line string) { call.Logf("%s", line) }}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return sdk.Clean(fmt.Errorf("start Feast: %w", err))
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return sdk.Clean(fmt.Errorf("start Feast: %w", err))
	}
	if err := cmd.Start(); err != nil {
		return sdk.Clean(cannotStart(p.config, err))
	}
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = stdin.Write(append(append(first, asked...), '\n'))
		_ = stdin.Close()
	}()
	last, stage := follow(stdout, call)
	<-wrote
	ended := cmd.Wait()

	switch {
	case last != nil && last.Failure != nil && last.Failure.Code == "cancelled" && ctx.Err() != nil:
		last.Failure.Code, last.Failure.Message = cut(ctx, stage).Code, cut(ctx, stage).Message
		return last.result(into)
	case last != nil:
		return last.result(into)
	case ctx.Err() != nil:
		return cut(ctx, stage)
	}
	f := sdk.Fail("helper_died", "Feast's process ended while %s (%v)%s", stage, ended, stderr.said())
	if stage == loading {
		return sdk.Clean(f)
	}
	return f
}

const loading = "loading Feast"

// follow reads to the end of what the process says: its last word, and what it
// was about to do when it said its last.
func follow(stdout io.Reader, call *sdk.Call) (*message, string) {
	lines, stage := bufio.NewReader(stdout), loading
	var last *message
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return last, stage
		}
		var m message
		switch err := json.Unmarshal(line, &m); {
		case err != nil:
			call.Logf("%s", line)
		case m.last():
			last = &m
		case m.Stage != "":
			stage = m.Stage
			call.Logf("%s", stage)
		default:
			call.Progress(m.Done, 0, "%s", m.Log)
		}
	}
}

// cut is what a question comes to whose time is over.
func cut(ctx context.Context, stage string) *schema.Failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return sdk.Fail("timeout", "no answer in time while %s", stage)
	}
	return sdk.Fail("cancelled", "cancelled while %s", stage)
}

func cannotStart(c Config, err error) *schema.Failure {
	f := sdk.Fail("cannot_start", "cannot start %s: %v", c.Python, err)
	if errors.Is(err, exec.ErrNotFound) {
		f.Message = fmt.Sprintf("there is no interpreter %s", c.Python)
	}
	f.Argument, f.Remedy = "python", "set `python` to the interpreter of the feature repository's environment"
	return f
}
