package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
	"github.com/runbook-engine/runbook/engine/store"
)

func TestARunIsOpenedAgain(t *testing.T) {
	s := newStore(t)
	r := must[*store.Run](t)(s.NewRun(""))
	want := []event.Event{{FormatVersion: "1.0", Seq: 1, Time: began, Type: event.StepStarted, Run: r.ID(), Step: "step.x"}}
	check(t, r.Append(want...))

	var busy *journal.BusyError
	if _, err := s.OpenRun(r.ID()); !errors.As(err, &busy) {
		t.Errorf("attended twice: %v", err)
	}
	if _, err := s.NewRun(r.ID()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	seal := r.Journal().Seal()
	check(t, r.Close())

	r = must[*store.Run](t)(s.OpenRun(r.ID()))
	diff(t, journal.Recovery{Records: 1, Groups: 1, Seal: seal}, r.Recovery())
	want = append(want, event.Event{FormatVersion: "1.0", Seq: 2, Time: began, Type: event.StepFinished, Run: r.ID(), Step: "step.x", Status: "done"})
	check(t, r.Append(want[1]))
	var got []event.Event
	for e, err := range r.Events() {
		check(t, err)
		got = append(got, e)
	}
	diff(t, want, got)
	check(t, r.Close())

	got = nil
	events, err := s.Events(r.ID())
	check(t, err)
	for e, err := range events {
		check(t, err)
		got = append(got, e)
	}
	diff(t, want, got)
	diff(t, int64(2), must[journal.Report](t)(s.Verify(r.ID(), seal)).Records)
}

func TestIDsAreSafe(t *testing.T) {
	s := newStore(t)
	newRun(t, s, "r")
	for _, id := range []string{"last", "..", ".", "a/b", "../r", "-r", "R", "r\n", strings.Repeat("r", 65)} {
		if _, err := s.NewRun(id); err == nil {
			t.Errorf("made %q", id)
		}
		var missing *store.NotFoundError
		if _, err := s.OpenRun(id); !errors.As(err, &missing) {
			t.Errorf("opened %q: %v", id, err)
		}
		if _, err := s.Events(id); !errors.As(err, &missing) {
			t.Errorf("read %q: %v", id, err)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	diff(t, "20260117-031502-00000000", store.IDAt(began, 0))
	diff(t, "20260117-031502-8000ffff", store.IDAt(began.Add(time.Second/2), 0xffff))
	diff(t, "20260117-031502-ffff0010", store.IDAt(began.Add(time.Second-1), 16))
	diff(t, "20260117-031503-00000000", store.IDAt(began.Add(time.Second).In(time.FixedZone("x", 3600)), 0))
}

// Where the clock was set back, the run that is begun last still is the last.
func TestIDsGrowThoughTheClockIsSetBack(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"abc", store.IDAt(time.Now().Add(24*time.Hour), 0xffff), "zzz"} {
		newRun(t, s, id)
	}
	for range 20 {
		newest := must[string](t)(s.Resolve("2"))
		id := s.NextID()
		if id <= newest {
			t.Errorf("%s comes after %s", id, newest)
		}
		check(t, os.RemoveAll(filepath.Join(s.Dir(), "runs", newest)))
		newRun(t, s, id)
	}
}

func TestResolve(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"20260117-031502-7f3a", "20260117-031502-7f3b", "20260118-000000-0000", "abc", "abcd"} {
		newRun(t, s, id)
	}
	check(t, os.Mkdir(filepath.Join(s.Dir(), "runs/zzz"), 0o700)) // crashed before it had a journal

	for ref, want := range map[string]string{
		"last":                 "abcd",
		"20260118":             "20260118-000000-0000",
		"20260117-031502-7f3a": "20260117-031502-7f3a",
		"abc":                  "abc",
	} {
		diff(t, want, must[string](t)(s.Resolve(ref)))
	}
	_, err := s.Resolve("2026")
	var ambiguous *store.AmbiguousError
	if !errors.As(err, &ambiguous) {
		t.Fatalf("got %v", err)
	}
	diff(t, &store.AmbiguousError{Ref: "2026", Candidates: []string{"20260118-000000-0000", "20260117-031502-7f3b", "20260117-031502-7f3a"}}, ambiguous)
	for _, ref := range []string{"", "zzz", "2027", "../runs/abc"} {
		_, err = s.Resolve(ref)
		var missing *store.NotFoundError
		if !errors.As(err, &missing) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func pinOf(path, content string) *event.File {
	sum := sha256.Sum256([]byte(content))
	return &event.File{Path: path, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func TestALogIsPinned(t *testing.T) {
	s := newStore(t)
	r := must[*store.Run](t)(s.NewRun("r"))
	pin := func(step string) *event.File { t.Helper(); return must[*event.File](t)(r.Pin(step)) }
	diff(t, (*event.File)(nil), pin("step.x"))
	check(t, r.Log("step.x", "one"))
	check(t, r.Log("step.y", "other"))
	check(t, r.Log("step.x", "two\n"))
	diff(t, pinOf("logs/step.x.log", "one\ntwo\n"), pin("step.x"))
	diff(t, pinOf("logs/step.x.log", "one\ntwo\n"), pin("step.x"))
	check(t, r.Log("step.x", "three"))
	check(t, r.Close())

	r = must[*store.Run](t)(s.OpenRun("r"))
	diff(t, pinOf("logs/step.x.log", "one\ntwo\nthree\n"), pin("step.x"))
	check(t, r.Log("step.x", "four"))
	diff(t, pinOf("logs/step.x.log", "one\ntwo\nthree\nfour\n"), pin("step.x"))
	check(t, r.Close())
	diff(t, "one\ntwo\nthree\nfour\n", string(must[[]byte](t)(os.ReadFile(s.LogPath("r", "step.x")))))
	diff(t, "other\n", string(must[[]byte](t)(os.ReadFile(s.LogPath("r", "step.y")))))
}

func TestALogIsNotWrittenThroughALink(t *testing.T) {
	s := newStore(t)
	r := newRun(t, s, "r")
	target := filepath.Join(t.TempDir(), "target")
	check(t, os.WriteFile(target, nil, 0o600))
	check(t, os.Symlink(target, s.LogPath("r", "step.x")))
	if err := r.Log("step.x", "line"); err == nil {
		t.Error("wrote through a link")
	}
	if pin, err := r.Pin("step.x"); err == nil {
		t.Errorf("pinned %+v", pin)
	}
	diff(t, "", string(must[[]byte](t)(os.ReadFile(target))))
}

func TestManyStepsNeedFewDescriptors(t *testing.T) {
	s := newStore(t)
	r := newRun(t, s, "r")
	open := func() int { t.Helper(); return len(must[[]os.DirEntry](t)(os.ReadDir("/dev/fd"))) }
	before := open()
	for i := range 200 {
		step := fmt.Sprintf("step.s%d", i)
		check(t, r.Log(step, "line"))
		must[*event.File](t)(r.Pin(step))
	}
	if after := open(); after > before+10 {
		t.Errorf("%d descriptors are open after 200 steps, %d before", after, before)
	}
}

func TestFileNames(t *testing.T) {
	for address, want := range map[string]string{
		"step.x":                 "step.x",
		`step.x["k"]`:            "step.x%5b%22k%22%5d",
		`step.x["K"]`:            "step.x%5b%22%4b%22%5d",
		"step.x[\"../../../e\"]": "step.x%5b%22..%2f..%2f..%2fe%22%5d",
		"..":                     "%2e.",
		"%5b":                    "%255b",
		"é\x00":                  "%c3%a9%00",
	} {
		diff(t, want, store.FileName(address))
	}
	long := strings.Repeat("a", 400)
	names := []string{store.FileName(long), store.FileName(long + "b"), store.FileName(long[:200]), store.FileName(long[:201])}
	slices.Sort(names)
	if len(slices.Compact(names)) != 4 || len(slices.MaxFunc(names, func(a, b string) int { return len(a) - len(b) })) > 200 {
		t.Errorf("got %q", names)
	}
}

// Who attends a run is the last that began it or went on with it.
func TestWhoAttendsARunIsSaid(t *testing.T) {
	s := newStore(t)
	begin := func(seq int64, operator string, pid int) event.Event {
		at := began.Add(time.Duration(seq) * time.Minute)
		return event.Event{Seq: seq, Time: at, Type: event.RunStarted, Run: "r", Start: &event.Start{Runbook: "book", Operator: operator, Host: "h", PID: pid}}
	}
	newRun(t, s, "r", begin(1, "ana", 7), begin(2, "bo", 8))
	_, err := s.OpenRun("r")
	var attended *store.AttendedError
	if !errors.As(err, &attended) {
		t.Fatalf("got %v", err)
	}
	diff(t, store.Holder{Run: "r", Runbook: "book", Operator: "bo", Host: "h", PID: 8, Since: began.Add(2 * time.Minute)}, attended.Holder)
	diff(t, "run r is attended since 2026-01-17T03:17:02Z by bo on h (process 8): `runbook runs show r` shows it; an interrupt of that process ends it", err.Error())
}
