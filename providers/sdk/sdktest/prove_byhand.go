package sdktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// byHandTime bounds one look by hand, on a busy machine.
const byHandTime = 3 * time.Minute

// byHand looks as the provider says that a person does, in a shell and with jq, and
// returns the result; false where it says nothing of the kind, nil where nobody
// could tell.
func (p *prover) byHand(t *testing.T, config map[string]any, name string, args map[string]any) (result map[string]any, said bool) {
	t.Helper()
	h := &Harness{t: t, schema: p.schema}
	configured, _ := h.arguments("the configuration", p.schema.Config, config)
	given, _ := h.arguments(name, p.schema.Operation(schema.Probe, name).Arguments, args)
	server := sdk.NewServer(p.Provider())
	defer func() { _ = server.Close() }()
	if err := server.Configure(t.Context(), configured); err != nil {
		t.Fatal(err)
	}
	hand, err := server.ByHand(t.Context(), schema.Operation{Name: name, Kind: schema.Probe, Arguments: given})
	if err != nil {
		t.Fatalf("how to look by hand: %v", err)
	}
	if len(hand.Command) == 0 {
		return nil, false
	}
	for _, secret := range p.secrets {
		if strings.Contains(strings.Join(hand.Command, "\n"), secret) {
			t.Error("a secret is in the command line of a look by hand")
		}
	}
	return p.judge(t, hand), true
}

// judge runs a look by hand and makes its result, as a break-glass script does.
func (p *prover) judge(t *testing.T, hand schema.ByHand) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), byHandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, hand.Command[0], hand.Command[1:]...)
	cmd.Dir, cmd.Env = hand.Dir, os.Environ()
	for name, value := range hand.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(hand.Stdin), &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		t.Logf("by hand: %v %v", ctx.Err(), err)
		return nil
	}
	program := hand.Result
	if program == "" {
		program = `{ok: (.exit_code == 0)}`
	}
	made := exec.Command("jq", "-n", "--arg", "stdout", stdout.String(), "--arg", "stderr", stderr.String(),
		"--argjson", "exit_code", strconv.Itoa(cmd.ProcessState.ExitCode()), "{$stdout, $stderr, $exit_code} | "+program)
	out, err := made.Output()
	if err != nil {
		t.Logf("by hand nobody can tell: %v\n%s%s", err, stdout.String(), stderr.String())
		return nil
	}
	var result map[string]any
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("the result by hand: %v\n%s", err, out)
	}
	for _, field := range append([]string{"ok", "summary"}, hand.Gives...) {
		if _, has := result[field]; !has {
			t.Errorf("by hand there is no %s in %s", field, out)
		}
	}
	return result
}

// asByHand compares a look with the same by hand, field by field: what a script
// decides by has to be what the provider would have said.
func (p *prover) asByHand(t *testing.T, c ProbeProof, seen map[string]any) {
	t.Helper()
	result, said := p.byHand(t, p.Config, c.Name, c.Args)
	if !said {
		return
	}
	if result == nil {
		t.Error("by hand nobody can tell what the probe does")
	}
	for field, value := range result {
		known, has := seen[field]
		if field == "summary" || !has {
			continue
		}
		if !near(known, value) {
			t.Errorf("%s by hand (-probe +by hand):\n%s", field, cmp.Diff(known, value))
		}
	}
}

// near tells whether two answers are the same but for the time between them.
func near(a, b any) bool {
	first, _ := json.Marshal(a)
	second, _ := json.Marshal(b)
	if bytes.Equal(first, second) {
		return true
	}
	var x, y float64
	if json.Unmarshal(first, &x) == nil && json.Unmarshal(second, &y) == nil && string(first) != "null" && string(second) != "null" {
		return math.Abs(x-y) <= max(byHandTime.Seconds(), math.Abs(x)/100)
	}
	var s, o time.Time
	return json.Unmarshal(first, &s) == nil && json.Unmarshal(second, &o) == nil && s.Sub(o).Abs() <= byHandTime
}
