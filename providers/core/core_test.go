package core_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/core"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestLog(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	o := h.Act("log", map[string]any{"message": "writers are back: 100 %d"})
	want := map[string]any{"ok": true, "summary": "writers are back: 100 %d"}
	if diff := cmp.Diff(want, sdktest.Go(t, o.Result)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"writers are back: 100 %d"}, h.Logs()); diff != "" {
		t.Error(diff)
	}
}

func TestWait(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	o := h.Act("wait", map[string]any{"duration": "20ms"})
	got, _ := sdktest.Go(t, o.Result).(map[string]any)
	if o.State != schema.Done || got["summary"] != "waited 20ms" || got["seconds"].(float64) < 0.02 {
		t.Errorf("got %s %v", o.State, got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o = h.Act("wait", map[string]any{"duration": "1h"}, sdktest.Context(ctx))
	if o.State != schema.FailedClean || o.Failure.Code != "cancelled" {
		t.Errorf("a cancelled wait ended %s: %v", o.State, o.Failure)
	}
}

func TestFail(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	o := h.Act("fail", map[string]any{"message": "never here", "code": "wrong_branch"})
	want := schema.Outcome{
		State:   schema.FailedClean,
		Failure: &schema.Failure{Code: "wrong_branch", Message: "never here"},
	}
	if diff := cmp.Diff(want, o, cmp.Comparer(func(a, b cty.Value) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestDescribe(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	for name, test := range map[string]struct {
		action string
		args   map[string]any
		want   schema.Description
	}{
		"log": {"log", map[string]any{"message": "hello"}, schema.Description{
			Settling: schema.Idempotent, Summary: "hello", Command: []string{"echo", "hello"},
		}},
		"log of what is not known yet": {"log", map[string]any{"message": cty.UnknownVal(cty.String)}, schema.Description{
			Settling: schema.Idempotent, Summary: "writes a message",
		}},
		"wait": {"wait", map[string]any{"duration": "90s"}, schema.Description{
			Settling: schema.Idempotent, Summary: "waits 1m30s", Command: []string{"sleep", "90"},
		}},
		"wait backwards": {"wait", map[string]any{"duration": "-1s"}, schema.Description{
			Settling: schema.Idempotent,
			Failure:  &schema.Failure{Code: "invalid_argument", Argument: "duration", Message: "a wait cannot last -1s"},
		}},
		"fail": {"fail", map[string]any{"message": "no"}, schema.Description{
			Settling: schema.Idempotent, Summary: "fails on purpose", Command: []string{"false"},
		}},
		"fail with a bad code": {"fail", map[string]any{"message": "no", "code": "Oh No"}, schema.Description{
			Settling: schema.Idempotent,
			Failure:  &schema.Failure{Code: "invalid_argument", Argument: "code", Message: `the code "Oh No" is not lower_snake_case`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, h.Describe(test.action, test.args)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHost(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	open, refused := listener.Addr().(*net.TCPAddr).Port, backendtest.Refused(t)

	o := h.Probe("host", map[string]any{"path": t.TempDir(), "ports": []int{open}})
	got, _ := sdktest.Go(t, o.Result).(map[string]any)
	if got["ok"] != true || got["cpus"] != runtime.NumCPU() || got["disk_free_bytes"].(int) > got["disk_total_bytes"].(int) {
		t.Errorf("got %v, %v", got, o.Failure)
	}
	if runtime.GOOS == "linux" && (got["load_15m"] == nil || got["memory_available_bytes"].(int) > got["memory_total_bytes"].(int)) {
		t.Errorf("got %v", got)
	}
	if diff := cmp.Diff(map[string]any{strconv.Itoa(open): true}, got["ports"]); diff != "" {
		t.Error(diff)
	}

	o = h.Probe("host", map[string]any{"ports": []int{open, refused}, "min_disk_free_percent": 100.5})
	got, _ = sdktest.Go(t, o.Result).(map[string]any)
	want := " % free, not 100.5 %; port " + strconv.Itoa(refused) + " does not answer"
	if summary, _ := got["summary"].(string); got["ok"] != false || !strings.HasSuffix(summary, want) {
		t.Errorf("got %v", got)
	}

	for argument, args := range map[string]map[string]any{
		"path": {"path": "/no/such/place"}, "ports": {"ports": []int{70000}},
	} {
		if o := h.Probe("host", args); o.Failure == nil || o.Failure.Argument != argument {
			t.Errorf("%v answered %+v", args, o.Failure)
		}
	}
}

func TestHostHangs(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	o := h.Probe("host", map[string]any{"ports": []int{backendtest.Refused(t)}}, sdktest.Deadline(time.Now()))
	if o.State != schema.FailedClean || o.Failure == nil {
		t.Errorf("a probe out of time answered %s: %v", o.State, o.Failure)
	}
}
