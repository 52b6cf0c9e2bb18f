package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
	"github.com/runbook-engine/runbook/providers/schema"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(appenderEnv); path != "" {
		appendUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

var began = time.Date(2026, 1, 17, 3, 15, 2, 0, time.UTC)

// intent is an event of the usual size: about 400 bytes.
func intent(seq int64) event.Event {
	return event.Event{
		FormatVersion: event.FormatVersion,
		Seq:           seq,
		Time:          began.Add(time.Duration(seq) * time.Millisecond),
		Type:          event.ActionStarted,
		Run:           "20260117-031502-7f3a",
		Step:          "step.materialize",
		Attempt: &event.Attempt{
			Number:   1,
			Action:   "feast.materialize_incremental",
			Key:      "20260117-031502-7f3a/step.materialize",
			Settling: schema.Observed,
			Effects:  []schema.Effect{{Resource: "redis://db:6379/0", Mode: schema.Write}},
			Impact:   schema.Impact{"rows": seq},
			Command:  "feast materialize-incremental \"2026-01-17T03:15:02\" > log && echo <done>\n",
		},
	}
}

func intents(from, to int64) []event.Event {
	var out []event.Event
	for seq := from; seq <= to; seq++ {
		out = append(out, intent(seq))
	}
	return out
}

func read(t *testing.T, path string) []event.Event {
	t.Helper()
	var out []event.Event
	for e, err := range journal.Read(path) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func diff(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// create makes a journal with a group for each of sizes.
func create(t *testing.T, sizes ...int64) (path string, seals []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.jsonl")
	j := must[*journal.Journal](t)(journal.Create(path))
	next := int64(1)
	for _, size := range sizes {
		check(t, j.Append(intents(next, next+size-1)...))
		next += size
		seals = append(seals, j.Seal())
	}
	check(t, j.Close())
	return path, seals
}

func TestWhatIsAppendedIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := must[*journal.Journal](t)(journal.Create(path))
	diff(t, "", j.Seal())

	holds := true
	want := []event.Event{
		{FormatVersion: "1.0", Seq: 1, Time: began, Type: event.RunStarted, Run: "r", Start: &event.Start{
			Runbook: "x", File: "x.hcl", Sources: map[string]string{"x.hcl": "runbook \"x\" {\n}\n"},
			Variables: json.RawMessage(`{"a":{"seal":{"group":1}}}`),
		}},
		{FormatVersion: "1.0", Seq: 2, Time: began, Type: event.Observed, Run: "r", Observation: &event.Observation{
			Kind: "goal", Name: "fresh", Holds: &holds, Message: "{\"seal\":1}\n{\"seal\":2} \u2028 <&> \x00",
		}},
		{FormatVersion: "1.0", Seq: 3, Time: began, Type: event.RunFinished, Run: "r", Outcome: "succeeded", Outputs: map[string]any{"n": 1.5}},
	}
	check(t, j.Append(want[0]))
	diff(t, want[:1], read(t, path)) // a reader beside the writer
	check(t, j.Append())
	check(t, j.Append(want[1], want[2]))
	seal := j.Seal()
	check(t, j.Close())
	check(t, j.Close())
	if err := j.Append(want[0]); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	diff(t, want, read(t, path))

	report := must[journal.Report](t)(journal.Verify(path, seal))
	size := must[fs.FileInfo](t)(os.Stat(path)).Size()
	diff(t, journal.Report{Records: 3, Groups: 2, Seal: seal, Sealed: size}, report)
	diff(t, fs.FileMode(0o600), must[fs.FileInfo](t)(os.Stat(path)).Mode())
}

func TestOpenGoesOnWithTheChain(t *testing.T) {
	path, seals := create(t, 2, 1)
	j, recovery, err := journal.Open(path)
	check(t, err)
	diff(t, journal.Recovery{Records: 3, Groups: 2, Seal: seals[1]}, recovery)
	diff(t, seals[1], j.Seal())
	check(t, j.Append(intent(4)))
	check(t, j.Close())
	diff(t, intents(1, 4), read(t, path))
	must[journal.Report](t)(journal.Verify(path, seals...))
}

func TestOneProcessAtATime(t *testing.T) {
	path, _ := create(t, 1)
	attended := func() bool { t.Helper(); return must[bool](t)(journal.Attended(path)) }
	diff(t, false, attended())
	j, _, err := journal.Open(path)
	check(t, err)
	diff(t, true, attended())
	var busy *journal.BusyError
	if _, _, err := journal.Open(path); !errors.As(err, &busy) {
		t.Errorf("opened twice: %v", err)
	}
	check(t, j.Close())
	diff(t, false, attended())

	if _, err := journal.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over another: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	check(t, os.Symlink(path, link))
	if _, _, err := journal.Open(link); err == nil {
		t.Error("a link was followed")
	}
}

func TestConcurrentAppendsShareGroups(t *testing.T) {
	const writers, each = 16, 50
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := must[*journal.Journal](t)(journal.Create(path))
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := j.Append(event.Event{FormatVersion: "1.0", Step: fmt.Sprint(w), Seq: int64(2 * i)}, event.Event{FormatVersion: "1.0", Step: fmt.Sprint(w), Seq: int64(2*i + 1)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	check(t, j.Close())

	want, got := map[string][]int64{}, map[string][]int64{}
	for w := range writers {
		for seq := range int64(2 * each) {
			want[fmt.Sprint(w)] = append(want[fmt.Sprint(w)], seq)
		}
	}
	last := event.Event{Seq: 1}
	for e, err := range journal.Read(path) {
		check(t, err)
		got[e.Step] = append(got[e.Step], e.Seq)
		if e.Seq%2 == 1 && (last.Step != e.Step || last.Seq != e.Seq-1) {
			t.Fatalf("%s %d follows %s %d: the events of one call were parted", e.Step, e.Seq, last.Step, last.Seq)
		}
		last = e
	}
	diff(t, want, got)
	report := must[journal.Report](t)(journal.Verify(path))
	if report.Groups >= writers*each {
		t.Errorf("%d groups for %d calls of %d writers: nothing was shared", report.Groups, writers*each, writers)
	}
}

func TestEventsThatCannotBeWrittenHarmNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := must[*journal.Journal](t)(journal.Create(path))
	bad := intent(2)
	bad.Attempt.Result = json.RawMessage(`{"broken`)
	if err := j.Append(intent(1), bad); err == nil {
		t.Error("broken JSON was taken")
	}
	large := intent(2)
	large.Message = strings.Repeat("x", 65<<20)
	var tooLarge *journal.TooLargeError
	if err := j.Append(large); !errors.As(err, &tooLarge) {
		t.Errorf("65 MiB: %v", err)
	}
	large.Message = strings.Repeat("\x00", 8<<20) // 48 MiB as JSON
	check(t, j.Append(large))
	check(t, j.Append(intent(3)))
	check(t, j.Close())
	diff(t, []event.Event{large, intent(3)}, read(t, path))
	j, _, err := journal.Open(path)
	check(t, err)
	check(t, j.Close())
}

func TestAnotherFormatIsNamed(t *testing.T) {
	path, _ := create(t, 1, 1)
	body := string(must[[]byte](t)(os.ReadFile(path)))
	check(t, os.WriteFile(path, []byte(strings.Replace(body, `"format":1`, `"format":2`, 1)), 0o600))
	_, _, err := journal.Open(path)
	var format *journal.FormatError
	if !errors.As(err, &format) {
		t.Fatalf("got %v", err)
	}
	diff(t, &journal.FormatError{Path: path, Found: 2, Supported: 1}, format)
}

func TestAKeptSealShowsWhatTheChainCannot(t *testing.T) {
	path, seals := create(t, 1, 1, 1)
	body := must[[]byte](t)(os.ReadFile(path))
	second := strings.Index(string(body), seals[1]) + len(seals[1]) + len("\"}}\n")
	check(t, os.WriteFile(path, body[:second], 0o600))
	must[journal.Report](t)(journal.Verify(path))
	_, err := journal.Verify(path, seals...)
	var missing *journal.MissingSealError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	diff(t, &journal.MissingSealError{Path: path, Seal: seals[2]}, missing)
}
