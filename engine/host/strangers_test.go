package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// patience is how long these tests let a provider hang.
const patience = 300 * time.Millisecond

// asked is what a call of the hostile provider came to, in one line.
type asked func(*Host) (state schema.State, failure *schema.Failure)

func hostileOp(kind schema.Kind, name string) schema.Operation {
	return schema.Operation{Name: name, Kind: kind, Arguments: object(map[string]string{"how": "x"})}
}

// hanging is an operation of a provider that hangs in it.
func hanging(ask func(*Host, schema.Operation) (schema.State, *schema.Failure), kind schema.Kind, name string) asked {
	return func(h *Host) (schema.State, *schema.Failure) {
		op := hostileOp(kind, name)
		op.Timeout = patience
		return ask(h, op)
	}
}

func observe(h *Host, op schema.Operation) (schema.State, *schema.Failure) {
	o, err := h.Observe(context.Background(), "hostile", op)
	if err != nil {
		return "no answer", failureOf(err)
	}
	return o.State, o.Failure
}

func observing(h *Host) (schema.State, *schema.Failure) {
	return observe(h, hostileOp(schema.Probe, "look"))
}

func describe(h *Host, op schema.Operation) (schema.State, *schema.Failure) {
	d, err := h.Describe(context.Background(), "hostile", op)
	if err != nil {
		return "no answer", failureOf(err)
	}
	return schema.Done, d.Failure
}

func describing(h *Host) (schema.State, *schema.Failure) {
	return describe(h, hostileOp(schema.Action, "do"))
}

func preview(h *Host, op schema.Operation) (schema.State, *schema.Failure) {
	d, err := h.Preview(context.Background(), "hostile", op)
	if err != nil {
		return "no answer", failureOf(err)
	}
	return schema.Done, d.Failure
}

func previewing(h *Host) (schema.State, *schema.Failure) {
	return preview(h, hostileOp(schema.Action, "do"))
}

func settle(h *Host, op schema.Operation) (schema.State, *schema.Failure) {
	o := h.Settle(context.Background(), "hostile", op)
	return o.State, o.Failure
}

func settling(h *Host) (schema.State, *schema.Failure) {
	return settle(h, hostileOp(schema.Action, "do"))
}

// acting cancels an action once it says that it hangs.
func acting(h *Host) (schema.State, *schema.Failure) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := h.Act(ctx, "hostile", hostileOp(schema.Action, "do"), func(p schema.Progress) {
		if p.Message == "hanging" {
			cancel()
		}
	})
	return o.State, o.Failure
}

// Whatever a stranger does, each call has an end and a reason, and the next one
// works.
func TestStrangers(t *testing.T) {
	const none = schema.State("no answer")
	outcome := func(text string) map[string]deed { return map[string]deed{"Observe": {Say: []string{text}}} }
	acted := func(texts ...string) map[string]deed { return map[string]deed{"Act": {Say: texts}} }
	described := func(text string) map[string]deed { return map[string]deed{"Preview": {Say: []string{text}}} }
	many := func(n int, text string) string { return strings.Repeat(text, n) }
	for name, c := range map[string]struct {
		deeds map[string]deed
		ask   asked
		state schema.State
		code  string
		says  string
	}{
		"hangs in Configure": {map[string]deed{"Configure": {Do: "hang"}}, observing, none, "timeout", "hostile.Configure did not answer in time"},
		"hangs in Schema":    {map[string]deed{"Schema": {Do: "hang"}}, observing, none, "timeout", "hostile.Schema did not answer in time"},
		"hangs in Describe":  {map[string]deed{"Describe": {Do: "hang"}}, hanging(describe, schema.Action, "do"), none, "timeout", "hostile.do did not answer in time"},
		"hangs in Preview":   {map[string]deed{"Preview": {Do: "hang"}}, hanging(preview, schema.Action, "do"), none, "timeout", "hostile.do did not answer in time"},
		"hangs in Observe":   {map[string]deed{"Observe": {Do: "hang"}}, hanging(observe, schema.Probe, "look"), none, "timeout", "hostile.look did not answer in time"},
		"hangs in Settle":    {map[string]deed{"Settle": {Do: "hang"}}, hanging(settle, schema.Action, "do"), schema.Unknown, "timeout", "hostile.do did not answer in time"},
		"hangs in Cancel":    {map[string]deed{"Act": {Do: "hang"}, "Cancel": {Do: "hang"}}, acting, schema.Unknown, "provider_killed", "was killed"},
		"ignores Cancel":     {map[string]deed{"Act": {Do: "hang"}}, acting, schema.Unknown, "provider_killed", "was killed"},

		"dies in Configure": {map[string]deed{"Configure": {Do: "die"}}, observing, none, "provider_died", "dying in Configure"},
		"dies in Schema":    {map[string]deed{"Schema": {Do: "die"}}, observing, none, "provider_died", "dying in Schema"},
		"dies in Describe":  {map[string]deed{"Describe": {Do: "die"}}, describing, none, "provider_died", "dying in Describe"},
		"dies in Preview":   {map[string]deed{"Preview": {Do: "die"}}, previewing, none, "provider_died", "dying in Preview"},
		"dies in Observe":   {map[string]deed{"Observe": {Do: "die"}}, observing, none, "provider_died", "exit status 9"},
		"dies in Settle":    {map[string]deed{"Settle": {Do: "die"}}, settling, schema.Unknown, "provider_died", "dying in Settle"},
		"dies in Act":       {map[string]deed{"Act": {Do: "die"}}, acting, schema.Unknown, "provider_died", "dying in Act"},
		"dies in Cancel":    {map[string]deed{"Act": {Do: "hang"}, "Cancel": {Do: "die"}}, acting, schema.Unknown, "provider_died", "dying in Cancel"},

		"garbage from Configure": {map[string]deed{"Configure": {Do: "garbage"}}, observing, none, "provider_call", "hostile.Configure:"},
		"garbage from Schema":    {map[string]deed{"Schema": {Do: "garbage"}}, observing, none, "provider_call", "hostile.Schema:"},
		"garbage from Describe":  {map[string]deed{"Describe": {Do: "garbage"}}, describing, none, "provider_call", "hostile.do:"},
		"garbage from Preview":   {map[string]deed{"Preview": {Do: "garbage"}}, previewing, none, "provider_call", "hostile.do:"},
		"garbage from Observe":   {map[string]deed{"Observe": {Do: "garbage"}}, observing, none, "provider_call", "hostile.look:"},
		"garbage from Settle":    {map[string]deed{"Settle": {Do: "garbage"}}, settling, schema.Unknown, "provider_call", "hostile.do:"},
		"garbage from Act":       {map[string]deed{"Act": {Do: "garbage"}}, acting, schema.Unknown, "provider_call", "hostile.do:"},
		"17 MiB from Observe":    {map[string]deed{"Observe": {Do: "large"}}, observing, none, "provider_call", "larger than max"},
		"17 MiB from Act":        {map[string]deed{"Act": {Do: "large"}}, acting, schema.Unknown, "provider_call", "larger than max"},
		"9 MiB as a result": {
			outcome(`state: STATE_DONE result { type: "\"string\"" msgpack: "\xdb\x00\x90\x00\x00` + many(9<<20, "x") + `" }`),
			observing, none, "provider_call", "more than 8388608",
		},

		"no outcome":                  {acted(`log { text: "and now?" }`), acting, schema.Unknown, "provider_call", "without an outcome"},
		"an unknown state":            {acted(`outcome { state: 77 }`), acting, schema.Unknown, "", ""},
		"an unknown state of a probe": {outcome(`state: 77`), observing, schema.FailedClean, "bad_outcome", "ended unknown, which it cannot"},
		"a probe that asks":           {outcome(`state: STATE_ASK question { message: "may I?" }`), observing, schema.FailedClean, "bad_outcome", "ended ask"},
		"a probe that runs on":        {outcome(`state: STATE_RUNNING`), observing, schema.FailedClean, "bad_outcome", "ended running"},
		"an action that asks and had not said so": {
			acted(`outcome { state: STATE_ASK question { message: "may I?" } }`), acting, schema.Unknown, "bad_outcome", "ended ask",
		},
		"an action that runs on": {acted(`outcome { state: STATE_RUNNING }`), acting, schema.Unknown, "bad_outcome", "ended running"},
		"done and failed": {
			acted(`outcome { state: STATE_DONE failure { code: "x" message: "no" } }`), acting, schema.Unknown, "bad_outcome", "says that it is done, and that it failed: no",
		},
		"done without a result":      {outcome(`state: STATE_DONE`), observing, schema.FailedClean, "bad_outcome", "gives no result"},
		"failed without a reason":    {acted(`outcome { state: STATE_FAILED_CLEAN }`), acting, schema.FailedClean, "no_reason", "gives no reason"},
		"a question that is a state": {map[string]deed{"Settle": {Say: []string{`state: STATE_ASK question {}`}}}, settling, schema.Unknown, "bad_outcome", "ended ask"},

		"a wrong type":     {outcome(`state: STATE_DONE ` + said(`"ok": ["yes"], "summary": "x", "text": "x"`)), observing, schema.FailedPartial, "bad_result", "is not what its schema says"},
		"too few fields":   {outcome(`state: STATE_DONE ` + said(`"ok": true`)), observing, schema.FailedPartial, "bad_result", "is not what its schema says"},
		"a list":           {outcome(`state: STATE_DONE result { type: "[\"list\",\"bool\"]" msgpack: "\x91\xc3" }`), observing, schema.FailedPartial, "bad_result", "is not what its schema says"},
		"ok is null":       {outcome(`state: STATE_DONE ` + said(`"ok": null, "summary": "x", "text": "x"`)), observing, schema.FailedPartial, "bad_result", "neither yes nor no"},
		"an unknown value": {outcome(`state: STATE_DONE result { type: "\"string\"" msgpack: "\xd4\x00\x00" }`), observing, none, "provider_call", "has no place here"},
		"a deep type":      {outcome(`state: STATE_DONE result { type: "` + many(500, `[\"list\",`) + `" msgpack: "\xc0" }`), observing, none, "provider_call", "nested more than 200 deep"},
		"not ok and done": {
			acted(`outcome { state: STATE_DONE ` + said(`"ok": false, "summary": "half of it", "text": "x"`) + `}`), acting, schema.FailedPartial, "not_ok", "half of it",
		},

		"less than nothing counted": {described(`impact { key: "rows" value: -1 }`), previewing, none, "provider_call", `it counts -1 "rows"`},
		"too many effects":          {described(many(10_001, `effects {} `)), previewing, none, "provider_call", "10001 effects, more than 10000"},
		"too many lines":            {described(many(10_001, `sample: "" `)), previewing, none, "provider_call", "lines of its sample"},

		"another schema": {
			map[string]deed{"Schema": {Say: []string{strings.Replace(soundSchema, `name: "how"`, `name: "why"`, 1)}}}, observing, none, "provider_start",
			`probe "look": its argument "how" is gone`,
		},
		"another version": {
			map[string]deed{"Schema": {Say: []string{strings.Replace(soundSchema, `"1.0.0"`, `"2.0.0"`, 1)}}}, observing, none, "provider_start",
			"provider hostile says that it is 2.0.0",
		},
		"another class": {
			map[string]deed{"Schema": {Say: []string{strings.Replace(soundSchema, "SETTLING_MANUAL", "SETTLING_IDEMPOTENT", 1)}}}, acting, schema.FailedClean, "provider_start",
			`action "do" settles`,
		},
		"an error with control characters": {map[string]deed{"Observe": {Do: "error", Say: []string{"\x1b[2J\x1b]0;owned\agone\u202e"}}}, observing, none, "provider_call", "hostile.look: gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hostile(t, c.deeds)
			h.grace = patience
			if strings.HasPrefix(name, "hangs in Configure") || strings.HasPrefix(name, "hangs in Schema") {
				h.startIn = 2 * time.Second
			}
			state, failure := c.ask(h)
			if failure == nil {
				failure = &schema.Failure{}
			}
			if state != c.state || failure.Code != c.code || !strings.Contains(failure.Message, c.says) {
				t.Errorf("%s %s: %.500s", state, failure.Code, failure.Message)
			}
			h.startIn = startTimeout
			behave(t, h.opts.Dir, nil)
			if state, failure := observing(h); state != schema.Done {
				t.Errorf("afterwards it says %s: %v", state, failure)
			}
		})
	}
}

// What a schema does not name is not let in, what a provider points out as
// sensitive is, and a text is cut at what a text may be.
func TestStrangersResults(t *testing.T) {
	long := strings.Repeat("word ", 100_000)
	h := hostile(t, map[string]deed{"Observe": {Say: []string{
		`state: STATE_DONE ` + said(`"ok": "true", "summary": "a\u001b[31mred\u202e", "text": "hidden", "more": {"a": [1]}`, "/text", "/nowhere/at/all"),
	}}, "Act": {Say: []string{`outcome { state: STATE_FAILED_PARTIAL failure { code: "x" message: "` + long + `" } }`}}})
	op := hostileOp(schema.Probe, "look")
	o, err := h.Observe(t.Context(), "hostile", op)
	if err != nil || o.State != schema.Done {
		t.Fatal(err, o.State, o.Failure)
	}
	if !redact.IsSensitive(o.Result) {
		t.Error("a pointer to nowhere marks nothing")
	}
	result, _ := o.Result.UnmarkDeep()
	if said := h.redactor.Text("it is hidden"); said != "it is "+redact.Text {
		t.Error("what was sensitive in a result is not in a text: ", said)
	}
	want := cty.ObjectVal(map[string]cty.Value{"ok": cty.True, "summary": cty.StringVal("a\x1b[31mred\u202e"), "text": cty.StringVal("hidden")})
	if diff := cmp.Diff(want, result, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
		t.Error(diff)
	}
	op = hostileOp(schema.Action, "do")
	if o := h.Act(t.Context(), "hostile", op, nil); len(o.Failure.Message) > 256<<10+3 {
		t.Errorf("a failure of %d bytes", len(o.Failure.Message))
	}
}

// A log line has an end, and what is beyond is counted.
func TestStrangersLogs(t *testing.T) {
	h := hostile(t, map[string]deed{"Act": {Times: 3, Say: []string{
		`log { text: "` + strings.Repeat("x", 100<<10) + `" }`,
		`log { text: "\x1b[2Jclean\x1b]0;title\x07 up" stream: "nonsense" }`, `progress { done: nan total: -1 text: "\x1b[31mred" }`,
		answers["Act"].say,
	}}})
	l := newLogs()
	op := hostileOp(schema.Action, "do")
	if o := h.Act(t.Context(), "hostile", op, l.add); o.State != schema.Done {
		t.Fatal(o.State, o.Failure)
	}
	var got []string
	for _, line := range l.lines {
		if strings.HasPrefix(line, "xxx") {
			line = fmt.Sprintf("%d bytes", len(line))
		}
		got = append(got, line)
	}
	cut := []string{"65536 bytes", "(36864 bytes of log were dropped here)"}
	want := append(append(append(append([]string{}, cut...), cut...), cut...), "clean up", "red")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Children that a stranger has forked hold its pipes and, if they can, its
// liveness: nothing waits for them.
func TestStrangersChildren(t *testing.T) {
	for _, when := range []string{"Configure", "Observe"} {
		t.Run(when, func(t *testing.T) {
			h := hostile(t, map[string]deed{when: {Do: "fork"}})
			op := hostileOp(schema.Probe, "look")
			if o, err := h.Observe(t.Context(), "hostile", op); err != nil || o.State != schema.Done {
				t.Fatal(err, o)
			}
			text, err := os.ReadFile(filepath.Join(h.opts.Dir, "forked"))
			if err != nil {
				t.Fatal(err)
			}
			var group, own int
			if _, err := fmt.Sscan(string(text), &group, &own); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = syscall.Kill(own, syscall.SIGKILL) }()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			gone(t, group)
		})
	}
}

// What is copied into memory to be executed has a bound.
func TestLargeExecutablesAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, prefix+"large")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(1<<40), f.Close()); err != nil {
		t.Fatal(err)
	}
	h := New(Options{Dir: dir, SearchPath: []string{dir}})
	var large *LargeError
	if err := h.Lock(t.Context(), []string{"large"}); !errors.As(err, &large) {
		t.Error(err)
	}
}

// A schema that cannot be used is not pinned.
func TestUnusableSchemasAreNotPinned(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"two of one name":   {`name: "do"`, `name: "look"`, ""}, // one is a probe, one an action
		"a hostile name":    {`name: "look"`, `name: "lo\x1bok"`, `probe "lo\x1bok": its name is not lower_snake_case`},
		"no ok":             {`name: "ok"`, `name: "fine"`, "lacks the bool ok"},
		"neither kind":      {"KIND_PROBE", "9", "look is neither probe nor action"},
		"another name":      {`name: "hostile"`, `name: "other"`, `calls itself "other", not "hostile"`},
		"a bracket name":    {`name: "text"`, `name: "[["`, "is not lower_snake_case"},
		"not a type":        {`type: "\"string\"" doc: "How."`, `type: "\"strong\"" doc: "How."`, "decode type"},
		"no class":          {"settling: SETTLING_MANUAL", "", "its class"},
		"hanging in Schema": {"", "", "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := installAs(t, "hostile")
			d := deed{Say: []string{strings.Replace(soundSchema, c.old, c.new, -1)}}
			h := New(Options{Dir: dir})
			defer h.Close()
			if name == "hanging in Schema" {
				d, h.startIn = deed{Do: "hang"}, 2*time.Second
			}
			behave(t, dir, map[string]deed{"Schema": d})
			err := h.Lock(t.Context(), []string{"hostile"})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %s, got %v", c.want, err)
			}
			if _, err := os.Stat(filepath.Join(dir, LockFileName)); !os.IsNotExist(err) {
				t.Error("a lock file was written", err)
			}
		})
	}
}
