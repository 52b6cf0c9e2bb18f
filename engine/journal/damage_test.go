package journal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

// groups splits a journal into its groups.
func groups(content []byte) [][]byte {
	var out [][]byte
	start := 0
	for at := 0; at < len(content); {
		end := at + bytes.IndexByte(content[at:], '\n') + 1
		if bytes.HasPrefix(content[at:], []byte(`{"seal":`)) {
			out = append(out, content[start:end])
			start = end
		}
		at = end
	}
	return out
}

func TestEverySingleBitFlipIsFound(t *testing.T) {
	path, _ := create(t, 2, 1, 3, 1)
	sound := must[[]byte](t)(os.ReadFile(path))
	all := groups(sound)
	last := len(sound) - len(all[len(all)-1])
	corrupt, cut := 0, 0
	for at := range sound {
		for bit := range 8 {
			content := bytes.Clone(sound)
			content[at] ^= 1 << bit
			m := holding(simulated, content)
			_, found, err := journal.Open(simulated, journal.On(m))
			var damaged *journal.CorruptError
			var format *journal.FormatError
			switch {
			case errors.As(err, &damaged):
				corrupt++
				if damaged.Offset > int64(at) {
					t.Fatalf("bit %d of byte %d: blamed is byte %d", bit, at, damaged.Offset)
				}
				if !bytes.Equal(m.files[simulated].disk, content) {
					t.Fatalf("bit %d of byte %d: a damaged journal was written to", bit, at)
				}
			case errors.As(err, &format):
			case err == nil && at >= last && found.CutOffset == int64(last) && found.Cut == int64(len(sound)-last):
				cut++
			default:
				t.Fatalf("bit %d of byte %d, the last group begins at %d: %v, %+v", bit, at, last, err, found)
			}
		}
	}
	t.Logf("%d bytes: %d flips found, %d in the last group cut with it", len(sound), corrupt, cut)
}

// The same over real files, one bit of each byte.
func TestEveryByteOfARealFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := must[*journal.Journal](t)(journal.Create(path))
	check(t, j.Append(intents(1, 2)...))
	check(t, j.Append(event.Event{FormatVersion: event.FormatVersion, Seq: 3}))
	check(t, j.Close())
	sound := must[[]byte](t)(os.ReadFile(path))
	for at := range sound {
		content := bytes.Clone(sound)
		content[at] ^= 0x55
		check(t, os.WriteFile(path, content, 0o600))
		report, err := journal.Verify(path)
		if err == nil && report.Torn == 0 {
			t.Fatalf("byte %d: verified", at)
		}
		j, found, openErr := journal.Open(path)
		if (openErr == nil) != (err == nil) || openErr == nil && found.Cut != report.Torn {
			t.Fatalf("byte %d: Verify says %+v, %v; Open says %+v, %v", at, report, err, found, openErr)
		}
		if openErr == nil {
			check(t, j.Close())
			kept := must[[]byte](t)(os.ReadFile(found.CutFile))
			if !bytes.Equal(kept, content[found.CutOffset:]) {
				t.Fatalf("byte %d: what was cut is not what is kept", at)
			}
		}
	}
}

func TestTruncatedAtEveryByte(t *testing.T) {
	path, seals := create(t, 2, 1, 3)
	sound := must[[]byte](t)(os.ReadFile(path))
	for size := range sound {
		complete, bytesComplete := 0, 0
		for _, g := range groups(sound) {
			if bytesComplete+len(g) > size {
				break
			}
			complete, bytesComplete = complete+1, bytesComplete+len(g)
		}
		seal := ""
		if complete > 0 {
			seal = seals[complete-1]
		}
		m := holding(simulated, sound[:size])
		_, found, err := journal.Open(simulated, journal.On(m))
		check(t, err)
		want := journal.Recovery{Records: []int64{0, 2, 3, 6}[complete], Groups: int64(complete), Seal: seal}
		if size > bytesComplete {
			want.Cut, want.CutOffset, want.CutFile = int64(size-bytesComplete), int64(bytesComplete), "runs/r/journal.cut-1"
		}
		diff(t, want, found)
	}
}

func TestDamageIsNamed(t *testing.T) {
	path, _ := create(t, 2, 3, 1)
	other := filepath.Join(t.TempDir(), "other.jsonl")
	j := must[*journal.Journal](t)(journal.Create(other))
	check(t, j.Append(intents(101, 102)...))
	check(t, j.Append(intents(103, 105)...))
	check(t, j.Append(intent(106)))
	check(t, j.Close())
	sound := must[[]byte](t)(os.ReadFile(path))
	mine, theirs := groups(sound), groups(must[[]byte](t)(os.ReadFile(other)))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	replace := func(old, with string) []byte {
		return bytes.Replace(sound, []byte(old), []byte(with), 1)
	}
	g1, g2 := int64(len(mine[0])), int64(len(mine[1]))
	seal2 := g1 + int64(bytes.Index(mine[1], []byte(`{"seal"`)))
	record4 := g1 + int64(bytes.Index(mine[1], []byte(`{"format_version":"1.0","seq":4`)))

	for _, test := range []struct {
		name    string
		content []byte
		want    journal.CorruptError
		reason  string
	}{
		{"a value was changed", replace(`"rows":4`, `"rows":5`), journal.CorruptError{Group: 2, Record: 4, Offset: record4}, "its checksum is"},
		{"a record was taken out", bytes.Replace(sound, mine[1][record4-g1:][:bytes.IndexByte(mine[1][record4-g1:], '\n')+1], nil, 1), journal.CorruptError{Group: 2, Record: 4, Offset: record4}, "its checksum is"},
		{"a seal was changed", replace(`"group":2,"crc32c":["`, `"group":2,"crc32c":[ "`), journal.CorruptError{Group: 2, Offset: seal2}, "does not follow"},
		{"a seal was broken", replace(`{"seal":{"format":1,"group":2`, `{"seal":{"format":1,"group":?`), journal.CorruptError{Group: 2, Offset: seal2}, "cannot be read"},
		{"a line is not an event", replace(`{"format_version":"1.0","seq":4`, `{"format_version":"1.0","seq":?`), journal.CorruptError{Group: 2, Record: 4, Offset: record4}, "its checksum is"},
		{"a group was taken out", join(mine[0], mine[2]), journal.CorruptError{Group: 2, Offset: g1 + int64(bytes.Index(mine[2], []byte(`{"seal"`)))}, "group 3 ends here"},
		{"groups were swapped", join(mine[0], mine[2], mine[1]), journal.CorruptError{Group: 2, Offset: g1 + int64(bytes.Index(mine[2], []byte(`{"seal"`)))}, "group 3 ends here"},
		{"a group was doubled", join(mine[0], mine[1], mine[2], mine[2]), journal.CorruptError{Group: 4, Offset: int64(len(sound)) + int64(bytes.Index(mine[2], []byte(`{"seal"`)))}, "group 3 ends here"},
		{"another journal's group was put in", join(mine[0], theirs[1], mine[2]), journal.CorruptError{Group: 2, Offset: g1 + int64(bytes.Index(theirs[1], []byte(`{"seal"`)))}, "does not follow"},
		{"the beginning is another's", join(theirs[0], mine[1], mine[2]), journal.CorruptError{Group: 2, Offset: int64(len(theirs[0])) + seal2 - g1}, "does not follow"},
		{"a seal lost its newline", join(mine[0][:g1-1], mine[1], mine[2]), journal.CorruptError{Group: 1, Offset: int64(bytes.Index(mine[0], []byte(`{"seal"`)))}, "cannot be read"},
		{"a group became zeros", join(mine[0], make([]byte, g2), mine[2]), journal.CorruptError{Group: 2, Record: 3, Offset: g1}, "not an event"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, os.WriteFile(path, test.content, 0o600))
			_, err := journal.Verify(path)
			var got *journal.CorruptError
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(got.Reason, test.reason) {
				t.Errorf("reason %q, want %q", got.Reason, test.reason)
			}
			want := test.want
			want.Path, want.Reason = path, got.Reason
			diff(t, &want, got)

			_, _, openErr := journal.Open(path)
			var again *journal.CorruptError
			if !errors.As(openErr, &again) {
				t.Fatalf("Open: %v", openErr)
			}
			diff(t, got, again)
			var before []int64
			for e, err := range journal.Read(path) {
				if err != nil {
					diff(t, error(got), err)
					break
				}
				before = append(before, e.Seq)
			}
			if len(before) == 0 && got.Group > 1 {
				t.Error("the sound groups were not replayed")
			}
			diff(t, test.content, must[[]byte](t)(os.ReadFile(path)))
		})
	}
}
