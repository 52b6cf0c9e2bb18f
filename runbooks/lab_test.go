// Package runbooks_test tries the shipped runbooks on the real backends of
// examples/lab, through the real program.
package runbooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// bench is what every test here uses: the built program and a lab of its own.
type bench struct {
	program string
	lab     string
	env     []string // what `lab env` says, and the lab's own variables
	values  map[string]string
	redis   *redis.Client
}

var shared bench // set once by TestMain, before any test

func TestMain(m *testing.M) {
	code, err := withLab(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// freeBase finds a LAB_PORT_BASE whose ports nobody uses, below those that
// the kernel hands out by itself; at random, since others may look right now.
func freeBase() (int, error) {
	for range 100 {
		base, free := 11000+rand.IntN(12000), true
		for _, offset := range []int{5001, 5432, 6379, 8090, 9000} {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+offset))
			if free = free && err == nil; err == nil {
				_ = listener.Close()
			}
		}
		if free {
			return base, nil
		}
	}
	return 0, errors.New("no free ports for a lab")
}

// withLab builds the program, brings a lab up, runs the tests and takes it down.
func withLab(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "runbook-lab-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	shared.program = filepath.Join(dir, "runbook")
	if out, err := exec.Command("go", "build", "-o", shared.program, "../cmd/runbook").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	shared.lab, err = filepath.Abs("../examples/lab/lab")
	if err != nil {
		return 1, err
	}
	base, err := freeBase()
	if err != nil {
		return 1, err
	}
	shared.env = append(os.Environ(), "LAB_DIR="+filepath.Join(dir, "lab"), "LAB_PORT_BASE="+strconv.Itoa(base), "RUNBOOK_STORE="+filepath.Join(dir, "store"))
	defer func() {
		_, failed := shared.run(shared.lab, "destroy")
		err = errors.Join(err, failed)
	}()
	if out, err := shared.run(shared.lab, "up"); err != nil {
		return 1, fmt.Errorf("lab up: %w\n%s", err, out)
	}
	out, err := shared.run("bash", "-c", `eval "$("$0" env)" && env -0`, shared.lab) // what it prints is quoted for a shell
	if err != nil {
		return 1, fmt.Errorf("lab env: %w\n%s", err, out)
	}
	shared.values = map[string]string{}
	shared.env = strings.Split(strings.TrimRight(out, "\x00"), "\x00")
	for _, assignment := range shared.env {
		name, value, _ := strings.Cut(assignment, "=")
		shared.values[name] = value
	}
	// Bars are as old as the last reset: on a machine that is busy a test may take
	// longer than they stay fresh. What is stale in a scenario is six hours old.
	shared.env = append(shared.env, "RUNBOOK_VAR_max_bar_age=3600")
	shared.redis = redis.NewClient(&redis.Options{Addr: shared.values["REDIS_HOST"] + ":" + shared.values["REDIS_PORT"], MaxRetries: -1})
	defer shared.redis.Close()
	return run(), nil
}

// run runs a program with the lab's environment and returns what it printed.
func (b *bench) run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = b.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// labDo runs a command of the lab, which must succeed.
func labDo(t *testing.T, args ...string) string {
	t.Helper()
	out, err := shared.run(shared.lab, args...)
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// ran is how a command of the program ended.
type ran struct {
	code           int
	stdout, stderr string
}

func runbook(t *testing.T, args ...string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shared.program, args...)
	cmd.Env = shared.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

type plan struct {
	Outcome   string
	Diagnosis []look
	Steps     []struct {
		Address, Decision, Reason, Action string
		Tentative                         bool
		Impact                            map[string]int64
		Preconditions, Goals, Verify      []look
	}
}

// look is what a plan tells of one assertion; without a message it was not
// looked at.
type look struct{ Name, Message string }

// planned is the plan of a runbook, and by step what is to become of it.
func planned(t *testing.T, file string, args ...string) (plan, map[string]string) {
	t.Helper()
	r := runbook(t, append([]string{"plan", file, "--json"}, args...)...)
	if r.code != 0 && r.code != 3 {
		t.Fatalf("plan: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	var p plan
	if err := json.Unmarshal([]byte(r.stdout), &p); err != nil {
		t.Fatalf("plan --json: %v\n%s", err, r.stdout)
	}
	decisions := make(map[string]string)
	for _, s := range p.Steps {
		decision := s.Decision
		if s.Tentative {
			decision += " (tentative)"
		}
		decisions[strings.TrimPrefix(s.Address, "step.")] = decision
	}
	return p, decisions
}

// keys are the Redis keys that are not Feast's, with their values.
func otherKeys(t *testing.T) map[string]string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	all, err := shared.redis.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, key := range all {
		kind, err := shared.redis.Type(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(key, "usdcop") { // Feast ends its keys with the project's name
			continue
		}
		found[key] = kind
		if kind == "string" {
			found[key], err = shared.redis.Get(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}
