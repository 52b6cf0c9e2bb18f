package journal_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

const simulated = "runs/r/journal.jsonl"

// image is a journal before and after one more group.
type image struct {
	before, after []byte
	records       int64 // before
	groups        int64
}

func newImage(t *testing.T, last ...event.Event) image {
	t.Helper()
	m := newMachine()
	j := must[*journal.Journal](t)(journal.Create(simulated, journal.On(m)))
	check(t, j.Append(intents(1, 2)...))
	check(t, j.Append(intent(3)))
	before := bytes.Clone(m.files[simulated].disk)
	check(t, j.Append(last...))
	return image{before: before, after: m.files[simulated].disk, records: 3, groups: 2}
}

// after a power cut: for each unsynced sector whether it reached the disk, how
// long the file has become, and how much of the last sector written is torn.
func (i image) cut(reached func(sector int) bool, size int) []byte {
	out := make([]byte, size)
	copy(out, i.before)
	for s := len(i.before) / sector; s*sector < size; s++ {
		if reached(s) {
			copy(out[s*sector:], i.after[s*sector:min((s+1)*sector, size)])
		}
	}
	return out
}

// recovers holds what Open finds against what had been acknowledged.
func (i image) recovers(t *testing.T, content []byte, added int64) {
	t.Helper()
	m := holding(simulated, content)
	j, found, err := journal.Open(simulated, journal.On(m))
	if err != nil {
		t.Fatalf("after a power cut: %v", err)
	}
	whole := bytes.Equal(content, i.after)
	want := i.records
	if whole {
		want += added
	}
	if found.Records != want || (found.Cut > 0) != (!whole && len(content) > len(i.before)) {
		t.Fatalf("found %+v, want %d records", found, want)
	}
	if found.Cut > 0 && !bytes.Equal(m.files[found.CutFile].disk, content[len(i.before):]) {
		t.Fatal("what was cut is not what is kept")
	}
	check(t, j.Append(intent(want+1)))
	if got := verified(t, m, simulated); got.Records != want+1 || got.Torn != 0 || got.Seal != j.Seal() {
		t.Fatalf("after going on: %+v", got)
	}
}

// All states that a power cut can leave of a last group of up to six sectors.
func TestEveryStateAfterAPowerCut(t *testing.T) {
	for last := int64(4); ; last++ {
		i := newImage(t, intents(4, last)...)
		first := len(i.before) / sector
		n := (len(i.after)-1)/sector - first + 1
		if n > 6 {
			if last < 8 {
				t.Fatalf("a group of %d events has %d sectors already", last-3, n)
			}
			return
		}
		states := 0
		for reached := range 1 << n {
			sizes := []int{len(i.before), len(i.after)}
			for s := first + 1; s*sector < len(i.after); s++ {
				sizes = append(sizes, s*sector)
			}
			for _, size := range sizes {
				i.recovers(t, i.cut(func(s int) bool { return reached>>(s-first)&1 == 1 }, size), last-3)
				states++
			}
		}
		t.Logf("%d events in %d sectors: %d states", last-3, n, states)
	}
}

func TestSampledStatesAfterAPowerCut(t *testing.T) {
	i := newImage(t, intents(4, 60)...)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 64 {
		size := len(i.before) + rnd.IntN(len(i.after)-len(i.before)+1)
		if rnd.IntN(2) == 0 {
			size = len(i.after)
		}
		i.recovers(t, i.cut(func(int) bool { return rnd.IntN(4) > 0 }, size), 57)
	}
}

func TestTheGroupIsTornInsideASector(t *testing.T) {
	i := newImage(t, intent(4))
	for at := len(i.before); at < len(i.after); at++ {
		i.recovers(t, i.after[:at], 1) // the rest is missing
		torn := append(bytes.Clone(i.after[:at]), make([]byte, len(i.after)-at)...)
		i.recovers(t, torn, 1) // the rest is nothing
	}
}

// Whatever single operation fails, at Create, Append or Open: the error is
// final, and what was acknowledged is on the disk.
func TestEverySingleFailure(t *testing.T) {
	for _, with := range []error{syscall.ENOSPC, syscall.EIO} {
		for fail := 1; ; fail++ {
			m := newMachine()
			m.fail, m.with = fail, with
			acknowledged, failed := live(t, m)
			if !failed {
				if fail < 10 {
					t.Fatalf("only %d operations: %v", fail-1, m.called)
				}
				t.Logf("%v at each of %d operations: %v", with, fail-1, m.called)
				break
			}
			if m.files[simulated] == nil {
				continue
			}

			// The next process sees the page cache and carries on from there.
			m.fail = 0
			j, found, err := journal.Open(simulated, journal.On(m))
			check(t, err)
			if found.Records < acknowledged {
				t.Fatalf("failure %d: %d records of %d acknowledged", fail, found.Records, acknowledged)
			}
			if got := verified(t, m, simulated); got.Records != found.Records || got.Torn != 0 {
				t.Fatalf("failure %d: Open vouches for %+v, the disk has %+v", fail, found, got)
			}
			check(t, j.Append(intent(found.Records+1)))
			if got := verified(t, m, simulated); got.Records != found.Records+1 {
				t.Fatalf("failure %d: then %+v", fail, got)
			}
		}
	}
}

// live writes three groups, leaves a torn one, opens again and writes one more.
func live(t *testing.T, m *machine) (acknowledged int64, failed bool) {
	t.Helper()
	j, err := journal.Create(simulated, journal.On(m))
	if err != nil {
		return 0, true
	}
	add := func() bool {
		err := j.Append(intents(acknowledged+1, acknowledged+2)...)
		if err == nil {
			acknowledged += 2
			return true
		}
		var first *journal.WriteError
		if !errors.As(err, &first) || !errors.Is(err, m.with) {
			t.Fatalf("append failed with %v", err)
		}
		before := slices.Clone(m.called)
		if again := j.Append(intent(99)); again != err {
			t.Fatalf("then with %v, not with the same error", again)
		}
		diff(t, before, m.called) // it was not tried again
		return false
	}
	for range 3 {
		if !add() {
			return acknowledged, true
		}
	}
	check(t, j.Close())
	f := m.files[simulated]
	f.cache = append(f.cache, `{"format_version":"1.0","seq":7`...)
	f.disk = bytes.Clone(f.cache)

	j, _, err = journal.Open(simulated, journal.On(m))
	if err != nil {
		return acknowledged, true
	}
	return acknowledged, !add()
}
