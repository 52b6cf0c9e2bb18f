package sdktest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/protocol/processes"
	"github.com/runbook-engine/runbook/providers/schema"
)

// session is one provider process of a proof; all that comes out of it is
// searched for secrets.
type session struct {
	*Harness
	t       *testing.T
	prover  *prover
	process *process
}

// session starts the provider; it ends with the test.
func (p *prover) session(t *testing.T, overrides map[string]any) *session {
	t.Helper()
	config := map[string]any{}
	maps.Copy(config, p.Config)
	maps.Copy(config, overrides)
	process, harness, err := start(t, p.Provider, config)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{Harness: harness, t: t, prover: p, process: process}
	stop := s.watch()
	t.Cleanup(func() {
		s.t, s.Harness.t = t, t
		process.end()
		stop()
		s.hear("standard error", process.stderr.String())
	})
	return s
}

// hear looks for secrets in what the provider let out.
func (s *session) hear(where string, content any) {
	s.t.Helper()
	text, ok := content.(string)
	if !ok {
		encoded, err := json.Marshal(content)
		if err != nil {
			s.t.Fatalf("%s: %v", where, err)
		}
		text = string(encoded)
	}
	for _, secret := range s.prover.secrets {
		quoted, _ := json.Marshal(secret) // a string cannot fail
		for form, spelt := range map[string]string{
			"as it is": secret, "as JSON": strings.Trim(string(quoted), `"`), "in a URL": url.QueryEscape(secret),
			"in base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(text, spelt) {
				s.t.Errorf("a secret is in %s, %s", where, form)
			}
		}
	}
}

func (s *session) heard(name string, o schema.Outcome) schema.Outcome {
	s.t.Helper()
	s.hear("the failure of "+name, o.Failure)
	if o.Question != nil {
		s.hear("the question of "+name, o.Question.Message)
	}
	for field, held := range asMap(s.t, o) {
		for _, op := range s.schema.Operations {
			if a := op.Result.Attribute(field); op.Name == name && a != nil && !a.Sensitive {
				s.hear("the result of "+name, held)
			}
		}
	}
	return o
}

func asMap(t testing.TB, o schema.Outcome) map[string]any {
	t.Helper()
	held, _ := Go(t, o.Result).(map[string]any)
	return held
}

// told is an outcome in one line.
func told(o schema.Outcome) string {
	if o.Failure == nil {
		return string(o.State)
	}
	return fmt.Sprintf("%s %s: %v", o.State, o.Failure.Code, o.Failure)
}

func (s *session) observe(name string, args map[string]any, opts ...Option) schema.Outcome {
	s.t.Helper()
	c, stop := s.call(schema.Probe, name, args, opts)
	defer stop()
	o, err := s.provider.Observe(s.t.Context(), c.op)
	if err != nil {
		s.t.Fatalf("%s gave no answer: %v\n%s", name, err, s.process.stderr.String())
	}
	return s.heard(name, o)
}

func (s *session) describe(name string, args map[string]any, opts ...Option) schema.Description {
	s.t.Helper()
	d := s.Describe(name, args, opts...)
	s.hear("the description of "+name, d)
	return d
}

func (s *session) preview(name string, args map[string]any, opts ...Option) schema.Description {
	s.t.Helper()
	d := s.Preview(name, args, opts...)
	s.hear("the preview of "+name, d)
	return d
}

func (s *session) settle(name string, args map[string]any, opts ...Option) schema.Outcome {
	s.t.Helper()
	return s.heard(name, s.Settle(name, args, opts...))
}

// act runs an action; where the process dies over it the outcome is unknown, as
// an engine would have it.
func (s *session) act(name string, args map[string]any, opts ...Option) schema.Outcome {
	s.t.Helper()
	c, stop := s.call(schema.Action, name, args, opts)
	defer stop()
	o, err := s.provider.Act(s.t.Context(), c.op, func(e protocol.Event) { s.hear("the log of "+name, e.Text) })
	if err != nil {
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "provider_lost", Message: err.Error()}}
	}
	return s.heard(name, o)
}

// at cuts the call short: see cutBefore and cutAfter.
func at(cut string) Option { return func(c *call) { c.op.Handle = cut + c.op.Handle } }

// kill ends the process and everything that it has started.
func (s *session) kill() {
	pid := s.process.cmd.Process.Pid
	s.process.kill()
	for _, left := range processes.All() {
		if left.Session == pid {
			if p, err := os.FindProcess(left.PID); err == nil {
				_ = p.Kill()
			}
		}
	}
}

// watch searches the command lines of all that the provider starts, which
// everybody on the machine can read, until it is stopped.
func (s *session) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan map[string]bool, 1)
	go func() {
		lines := map[string]bool{}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			below(s.process.cmd.Process.Pid, lines)
			select {
			case <-tick.C:
			case <-ctx.Done():
				seen <- lines
				return
			}
		}
	}()
	return func() {
		cancel()
		for line := range <-seen {
			s.hear("a command line", line)
		}
	}
}

// below adds the command lines of the processes that one has started, and they
// in turn. It finds nothing where the system cannot tell.
func below(pid int, lines map[string]bool) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // only a malformed pattern errs
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // it may be gone
		for child := range strings.FieldsSeq(string(text)) {
			var n int
			if _, err := fmt.Sscan(child, &n); err != nil {
				continue
			}
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", n))
			lines[strings.ReplaceAll(string(line), "\x00", " ")] = true
			below(n, lines)
		}
	}
}
