package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
)

const secret = "hunter22!"

func newHost(t testing.TB) *Host {
	t.Helper()
	h := New(Options{Catalog: bundled.NewCatalog(testProviders(), "inner"), Dir: t.TempDir()})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"demo", "inner"} {
		h.Configure(name, name, object(map[string]string{"password": secret}, "password"))
	}
	return h
}

// object is an object of strings, of which some are sensitive.
func object(values map[string]string, sensitive ...string) cty.Value {
	attributes := map[string]cty.Value{}
	for name, value := range values {
		attributes[name] = cty.StringVal(value)
	}
	for _, name := range sensitive {
		attributes[name] = redact.Mark(attributes[name])
	}
	return cty.ObjectVal(attributes)
}

func do(how string) schema.Operation {
	return schema.Operation{Name: "do", Kind: schema.Action, Arguments: object(map[string]string{"how": how, "text": "x"})}
}

func look(values map[string]string) schema.Operation {
	return schema.Operation{Name: "look", Kind: schema.Probe, Arguments: object(values)}
}

// logs collects what an action says.
type logs struct {
	mu    sync.Mutex
	lines []string
	first chan struct{} // closed with the first line
	once  sync.Once
}

func newLogs() *logs { return &logs{first: make(chan struct{})} }

func (l *logs) add(p schema.Progress) {
	l.mu.Lock()
	l.lines = append(l.lines, p.Message)
	l.mu.Unlock()
	l.once.Do(func() { close(l.first) })
}

func pid(t *testing.T, h *Host, ref string) int {
	t.Helper()
	o, err := h.Observe(t.Context(), ref, look(nil))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := o.Result.GetAttr("pid").AsBigFloat().Int64()
	return int(n)
}

func TestAct(t *testing.T) {
	for _, ref := range []string{"demo", "inner"} {
		t.Run(ref, func(t *testing.T) {
			h, l := newHost(t), newLogs()
			got := h.Act(t.Context(), ref, do("say"), l.add)
			want := schema.Outcome{State: schema.Done, Result: cty.ObjectVal(map[string]cty.Value{
				"ok": cty.True, "summary": cty.StringVal("done"), "text": cty.StringVal("x"),
			})}
			if diff := cmp.Diff(want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"did x"}, l.lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMisbehaviour: whatever a provider does, the attempt has a state, a reason,
// and the next call works.
func TestMisbehaviour(t *testing.T) {
	for _, c := range []struct {
		how, code string
		state     schema.State
		message   []string
	}{
		{"panic", "provider_panic", schema.Unknown, []string{"panicked in do: boom"}},
		{"crash", "provider_died", schema.Unknown, []string{"exit status 2", "panic: boom in the background"}},
		{"exit", "provider_died", schema.Unknown, []string{"provider demo died (exit status 3) during do"}},
		{"hang", "provider_killed", schema.Unknown, []string{"did not end within", "was killed"}},
		{"huge", "result_too_large", schema.FailedPartial, []string{"more than 8388608"}},
		{"garbage", "", schema.Done, nil},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.grace = 300 * time.Millisecond
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := h.Act(ctx, "demo", do(c.how), func(p schema.Progress) {
				if c.how == "hang" {
					cancel()
				}
			})
			var code, message string
			if got.Failure != nil {
				code, message = got.Failure.Code, got.Failure.Message
			}
			if got.State != c.state || code != c.code {
				t.Fatalf("%s %s: %s", got.State, code, message)
			}
			for _, part := range c.message {
				if !strings.Contains(message, part) {
					t.Errorf("%q is not in: %s", part, message)
				}
			}
			if again := h.Act(t.Context(), "demo", do("say"), nil); again.State != schema.Done {
				t.Errorf("afterwards: %s %v", again.State, again.Failure)
			}
		})
	}
}

func TestCannotStart(t *testing.T) {
	h := newHost(t)
	h.redactor.Add("hunter22")
	for ref, want := range map[string]string{
		"noisy":   "provider noisy did not start: Unrecognized remote plugin message: hello from init",
		"mute":    "provider mute did not start: Unrecognized remote plugin message: ; its last words:\nno licence, (sensitive)",
		"stuck":   "provider stuck did not start: timeout while waiting for plugin to start; its last words:\nlooking for a licence",
		"missing": `provider missing did not start: there is no provider "missing": it is not bundled, and runbook-provider-missing is neither in .runbook/providers, $RUNBOOK_PROVIDER_PATH nor PATH`,
	} {
		t.Run(ref, func(t *testing.T) {
			if ref == "stuck" { // the others have ended long before
				h.startIn = 3 * time.Second
			}
			h.Configure(ref, ref, cty.EmptyObjectVal)
			got := h.Act(t.Context(), ref, do("say"), nil)
			want := schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "provider_start", Message: want}}
			if diff := cmp.Diff(want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTooLargeToSend(t *testing.T) {
	op := do("say")
	op.Arguments = object(map[string]string{"how": "say", "text": strings.Repeat("x", 9<<20)})
	got := newHost(t).Act(t.Context(), "demo", op, nil)
	want := schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{
		Code:    "provider_call",
		Message: "demo.do: the call could not be sent: arguments of do: it takes 9437203 bytes, more than 8388608",
	}}
	if diff := cmp.Diff(want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedConfiguration(t *testing.T) {
	h := newHost(t)
	h.Configure("demo.bad", "demo", object(map[string]string{"password": secret, "name": "refused"}, "password"))
	_, err := h.Observe(t.Context(), "demo.bad", look(nil))
	want := &schema.Failure{Code: "invalid_argument", Argument: "name", Message: "the name is refused, and so is (sensitive)"}
	var got *schema.Failure
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCancelKeepsTheOutcome(t *testing.T) {
	for _, ref := range []string{"demo", "inner"} {
		h, l := newHost(t), newLogs()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-l.first; cancel() }()
		got := h.Act(ctx, ref, do("wait"), l.add)
		want := schema.Outcome{
			State:   schema.FailedPartial,
			Result:  cty.ObjectVal(map[string]cty.Value{"ok": cty.False, "summary": cty.StringVal("cut"), "text": cty.StringVal("half")}),
			Failure: &schema.Failure{Code: "cut", Message: "stopped: cancelled by the engine"},
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
			t.Error(ref, diff)
		}
	}
}

func TestDeadlineEndsAnAction(t *testing.T) {
	h := newHost(t)
	op := do("wait")
	for patience := 300 * time.Millisecond; ; patience *= 2 {
		l := newLogs()
		op.Deadline = time.Now().Add(patience)
		got := h.Act(t.Context(), "demo", op, l.add)
		if len(l.lines) == 0 && patience < time.Minute {
			continue // on a busy machine it had not even begun
		}
		if got.State != schema.FailedPartial || got.Failure.Code != "cut" {
			t.Fatal(got.State, got.Failure)
		}
		return
	}
}

func TestObserveErrors(t *testing.T) {
	h := newHost(t)
	if _, err := h.Observe(t.Context(), "demo", look(nil)); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for _, c := range []struct {
		ctx  context.Context
		how  string
		want schema.Failure
	}{
		{short, "wait", schema.Failure{Code: "timeout", Message: "demo.look did not answer in time"}},
		{t.Context(), "exit", schema.Failure{Code: "provider_died", Message: "provider demo died (exit status 4) during look"}},
	} {
		_, err := h.Observe(c.ctx, "demo", look(map[string]string{"how": c.how}))
		var got *schema.Failure
		if !errors.As(err, &got) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Error(diff)
		}
	}
	o, err := h.Observe(t.Context(), "demo", look(map[string]string{"how": "fail"}))
	want := schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: "no entry with (sensitive)"}}
	if diff := cmp.Diff(want, o, cmp.Comparer(cty.Value.RawEquals)); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestEqualConfigurationsShareAProcess(t *testing.T) {
	h := newHost(t)
	h.Configure("demo.same", "demo", object(map[string]string{"password": secret}))
	h.Configure("demo.other", "demo", object(map[string]string{"password": secret, "name": "other"}))
	var mu sync.Mutex
	pids := map[string]map[int]bool{}
	var wg sync.WaitGroup
	for _, ref := range []string{"demo", "demo.same", "demo.other"} {
		for range 10 {
			wg.Go(func() {
				n := pid(t, h, ref)
				mu.Lock()
				defer mu.Unlock()
				if pids[ref] == nil {
					pids[ref] = map[int]bool{}
				}
				pids[ref][n] = true
			})
		}
	}
	wg.Wait()
	if len(pids["demo"]) != 1 || len(pids["demo.other"]) != 1 || !cmp.Equal(pids["demo"], pids["demo.same"]) ||
		cmp.Equal(pids["demo"], pids["demo.other"]) {
		t.Error(pids)
	}
}

func TestResultsAreMarked(t *testing.T) {
	h := newHost(t)
	encoded := "cHJlZml4IGh1bnRlcjIyISBzdWZmaXg=" // base64 of "prefix hunter22! suffix"
	op := schema.Operation{Name: "look", Kind: schema.Probe, Arguments: cty.ObjectVal(map[string]cty.Value{
		"text": cty.StringVal("with " + secret),
		"any":  cty.TupleVal([]cty.Value{cty.StringVal(encoded), cty.NumberIntVal(1), cty.ObjectVal(map[string]cty.Value{"k": redact.Mark(cty.NumberIntVal(98765))})}),
	})}
	o, err := h.Observe(t.Context(), "demo", op)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"ok", "summary", "text", "any", "token", "map"} {
		got[name] = redact.Display(o.Result.GetAttr(name))
	}
	want := map[string]string{
		"ok": "true", "summary": `"here"`, "text": redact.Text, "token": redact.Text,
		"any": "[(sensitive), 1, { k = (sensitive) }]", "map": "{ a = (sensitive) }",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text, _ := o.Result.GetAttr("text").Unmark()
	if text.AsString() != "with "+secret {
		t.Error("a sensitive value was altered")
	}
}

func TestTextIsScrubbed(t *testing.T) {
	h, l := newHost(t), newLogs()
	op := do("say")
	op.Arguments = object(map[string]string{"how": "say", "text": secret})
	h.Act(t.Context(), "demo", op, l.add)
	op.Arguments = object(map[string]string{"how": "long", "text": secret})
	h.Act(t.Context(), "demo", op, l.add)
	if !cmp.Equal(l.lines[0], "did (sensitive)") || strings.Contains(strings.Join(l.lines, ""), "hunt") {
		t.Errorf("%.100q …", l.lines)
	}
	d, err := h.Describe(t.Context(), "demo", op)
	want := schema.Description{
		Effects: []schema.Effect{{Resource: "demo://", Mode: schema.Write}}, Settling: schema.Manual,
		Command: []string{"do", "long", redact.Text}, Summary: "with (sensitive)",
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// What a question says is scrubbed, all of it; what is answered crosses without
// marks, and comes back with them.
func TestQuestionsAreScrubbed(t *testing.T) {
	h := newHost(t)
	op := do("ask")
	op.Arguments = object(map[string]string{"how": "ask", "text": secret})
	o := h.Act(t.Context(), "demo", op, nil)
	want := &schema.Question{Message: "who has " + redact.Text, Answers: schema.Object{Attributes: []schema.Attribute{{
		Name: "token", Type: cty.String, Doc: "not " + redact.Text, Default: redact.Text, Required: true, Sensitive: true,
		Nested: []schema.Attribute{{Name: "n", Type: cty.Number, Doc: redact.Text}},
	}}}}
	if diff := cmp.Diff(want, o.Question, cmp.Comparer(cty.Type.Equals)); diff != "" || o.State != schema.Ask {
		t.Errorf("%s (-want +got):\n%s", o.State, diff)
	}
	op.Answers = cty.ObjectVal(map[string]cty.Value{"token": redact.Mark(cty.StringVal("swordfish"))})
	o = h.Act(t.Context(), "demo", op, nil)
	if o.State != schema.Done || !o.Result.GetAttr("text").RawEquals(redact.Mark(cty.StringVal("swordfish"))) {
		t.Errorf("%s %#v %v", o.State, o.Result, o.Failure)
	}
}

func TestDescribeStartsNoProcess(t *testing.T) {
	h := New(Options{Catalog: bundled.NewCatalog(testProviders()), Executable: "/nowhere"})
	h.Configure("demo", "demo", cty.EmptyObjectVal)
	op := do("say")
	op.Arguments = cty.ObjectVal(map[string]cty.Value{"how": cty.UnknownVal(cty.String), "text": cty.StringVal("x")})
	got, err := h.Describe(t.Context(), "demo", op)
	if diff := cmp.Diff(schema.Description{Undeclared: true, Settling: schema.Manual}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got := h.Act(t.Context(), "demo", op, nil); got.State != schema.FailedClean || got.Failure.Code != "not_known" {
		t.Error("unknown values crossed", got.Failure)
	}
}

func TestFloodIsCutNotWaitedFor(t *testing.T) {
	h := newHost(t)
	op := do("flood")
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	op.Arguments = object(map[string]string{"how": "flood", "text": pipe})
	var first sync.Once
	dropped := false
	got := h.Act(t.Context(), "demo", op, func(p schema.Progress) {
		dropped = dropped || strings.Contains(p.Message, "bytes of log were dropped")
		first.Do(func() { // nothing more is taken before all has been said
			if _, err := os.ReadFile(pipe); err != nil {
				t.Error(err)
			}
		})
	})
	if got.State != schema.Done || !dropped {
		t.Error(got.State, got.Failure, dropped)
	}
}

func TestEnvironmentAndFolder(t *testing.T) {
	t.Setenv("PGPASSWORD", "not to be handed on")
	h := newHost(t)
	o, err := h.Observe(t.Context(), "demo", look(nil))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range o.Result.GetAttr("env").AsValueSlice() {
		name, _, _ := strings.Cut(v.AsString(), "=")
		names = append(names, name)
	}
	for _, name := range names {
		switch name {
		case "PATH", "HOME", "LANG", "TMPDIR", "RUNBOOK_PROVIDER":
		default:
			if !strings.HasPrefix(name, "PLUGIN_") {
				t.Errorf("%s was handed on", name)
			}
		}
	}
	if want, _ := filepath.EvalSymlinks(h.opts.Dir); o.Result.GetAttr("dir").AsString() != want {
		t.Error(o.Result.GetAttr("dir").AsString())
	}
}

func TestCloseIsFinal(t *testing.T) {
	h := newHost(t)
	n := pid(t, h, "demo")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	gone(t, n)
	if o := h.Act(t.Context(), "demo", do("say"), nil); o.State != schema.FailedClean || o.Failure.Code != "host_closed" {
		t.Error(o)
	}
}
