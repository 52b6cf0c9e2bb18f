package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/runbook-engine/runbook/engine/plan"
)

// Whatever the bytes, a saved plan is refused, or it is one that can be written
// again and is then the same; another version's is refused by name.
func FuzzDecodeSaved(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		resealed(t, text)
		saved, err := plan.DecodeSaved(text, "v1.0.0")
		var other *plan.OtherVersionError
		if errors.As(err, &other) && (other.This != "v1.0.0" || other.Made == other.This) {
			t.Fatalf("refused as %+v", other)
		}
		if err != nil {
			if saved != nil {
				t.Fatal("both a plan and an error")
			}
			return
		}
		digest := saved.Digest
		again, err := saved.Encode()
		if err != nil || saved.Digest != digest {
			t.Fatalf("written again it has the digest %s, not %s: %v", saved.Digest, digest, err)
		}
		if same, err := plan.DecodeSaved(again, "v1.0.0"); err != nil || same.Digest != digest {
			t.Fatalf("what was written again is refused: %v", err)
		}
		plan.Grew(saved.Plan, saved.Plan)
	})
}

// resealed gives text the digest that it ought to have: what is in it then has to
// come through.
func resealed(t *testing.T, text []byte) {
	var s plan.Saved
	exact := json.NewDecoder(bytes.NewReader(text))
	exact.UseNumber()
	if exact.Decode(&s) != nil || s.Plan == nil {
		return
	}
	s.Version = "v1.0.0"
	sealed, err := s.Encode()
	if err != nil {
		return // such as a time in the year 20000
	}
	again, err := plan.DecodeSaved(sealed, "v1.0.0")
	if err != nil {
		t.Fatalf("%v\n%s", err, sealed)
	}
	if grew := plan.Grew(s.Plan, again.Plan); len(grew) > 0 && !ambiguous(s.Plan) {
		t.Fatalf("the same plan grew: %q", grew)
	}
}

// ambiguous tells whether two steps have one address, as in no plan of ours.
func ambiguous(p *plan.Plan) bool {
	seen := map[string]bool{}
	for i := range p.Steps {
		if seen[p.Steps[i].Address] {
			return true
		}
		seen[p.Steps[i].Address] = true
	}
	return false
}

// The corpus has sound plans in it: else the fuzzer would try the first check only.
func TestFuzzCorpusHasSoundPlans(t *testing.T) {
	sound := 0
	for _, name := range []string{"sound", "large_step"} {
		content, err := os.ReadFile(filepath.Join("testdata", "fuzz", "FuzzDecodeSaved", name))
		if err != nil {
			t.Fatal(err)
		}
		text := corpusEntry(t, content)
		if _, err := plan.DecodeSaved(text, "v1.0.0"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sound++
	}
	if sound == 0 {
		t.Error("none is sound")
	}
}

// corpusEntry is the one []byte of a corpus file.
func corpusEntry(t *testing.T, content []byte) []byte {
	t.Helper()
	const before, after = "go test fuzz v1\n[]byte(", ")\n"
	quoted := content[len(before) : len(content)-len(after)]
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}
