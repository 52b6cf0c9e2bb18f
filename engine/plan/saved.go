package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
)

// SavedKind is what a saved plan says that it is.
const SavedKind = "runbook plan"

// Saved is a plan that is kept in a file, with all that it was made from: it
// becomes one run, once, before it expires, and only where nothing has grown
// since. Sensitive values are not in it. It is plain data.
type Saved struct {
	Kind          string      `json:"kind"`
	FormatVersion string      `json:"format_version"`
	Version       string      `json:"version"` // of the engine that made it
	Digest        string      `json:"digest"`  // sha256 over all else
	ExpiresAt     time.Time   `json:"expires_at"`
	Start         event.Start `json:"start"` // sources, variables, targets, providers
	Plan          *Plan       `json:"plan"`
}

// Encode is the file's text. It sets the digest.
func (s *Saved) Encode() ([]byte, error) {
	s.Kind, s.FormatVersion = SavedKind, FormatVersion
	digest, err := s.sum()
	if err != nil {
		return nil, fmt.Errorf("write plan: %w", err)
	}
	s.Digest = digest
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write plan: %w", err)
	}
	return append(text, '\n'), nil
}

// sum is the digest that a saved plan ought to have.
func (s *Saved) sum() (string, error) {
	rest := *s
	rest.Digest = ""
	text, err := json.Marshal(rest)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// IsSaved tells a saved plan from a runbook by how it begins.
func IsSaved(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}

// OtherVersionError says that another version of the engine made a saved plan.
type OtherVersionError struct {
	Made, This string
}

// Error implements error.
func (e *OtherVersionError) Error() string {
	return fmt.Sprintf("runbook %s made it, and this is runbook %s", e.Made, e.This)
}

// DecodeSaved reads the text of a saved plan that this version of the engine made;
// another's is an *OtherVersionError, whatever else is in it. One that was changed
// since it was written is refused.
func DecodeSaved(text []byte, version string) (*Saved, error) {
	var head struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("read plan: it is no saved plan, or not the whole of one: %w", err)
	}
	switch {
	case head.Kind != SavedKind:
		return nil, errors.New("read plan: it is no saved plan")
	case head.Version != version:
		return nil, &OtherVersionError{Made: head.Version, This: version}
	}
	var s Saved
	exact := json.NewDecoder(bytes.NewReader(text)) // what follows the plan was refused above
	exact.UseNumber()                               // else a large number in an output is another one in the digest
	if err := exact.Decode(&s); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	switch {
	case s.FormatVersion != FormatVersion:
		return nil, fmt.Errorf("read plan: its format is %s, this program reads %s", s.FormatVersion, FormatVersion)
	case s.Plan == nil:
		return nil, errors.New("read plan: it holds no plan")
	}
	digest, err := s.sum()
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if digest != s.Digest {
		return nil, fmt.Errorf("read plan: it says that its digest is %s, and it is %s: it was changed after it was made; plan again", s.Digest, digest)
	}
	return &s, nil
}
