package feast

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// request is one line to the helper.
type request struct {
	ID     int64          `json:"id"`
	Op     string         `json:"op,omitempty"`
	Repo   string         `json:"repo,omitempty"`
	Args   map[string]any `json:"args,omitempty"`
	Cancel bool           `json:"cancel,omitempty"`
}

// message is one line from the helper: what it is about to wait for, how far
// it is, or its last word.
type message struct {
	ID      int64           `json:"id"`
	Stage   string          `json:"stage"`
	Log     string          `json:"log"`
	Done    float64         `json:"progress"`
	Answer  json.RawMessage `json:"answer"`
	Failure *failure        `json:"failure"`
}

func (m message) last() bool { return m.Answer != nil || m.Failure != nil }

// result decodes the last word; a failure that changed nothing is clean.
func (m message) result(into any) error {
	if m.Failure == nil {
		if err := json.Unmarshal(m.Answer, into); err != nil {
			return fmt.Errorf("read Feast's answer: %w", err)
		}
		return nil
	}
	f := m.Failure
	found := &schema.Failure{
		Code: f.Code, Message: f.Message, Remedy: f.Remedy, Argument: f.Argument,
		Retryable: strings.HasSuffix(f.Code, "_unreachable"),
	}
	if f.Clean {
		return sdk.Clean(found)
	}
	return found
}

type failure struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
	Argument string `json:"argument"`
	Clean    bool   `json:"clean"`
}

// value is a JSON document as a cty value of whatever type it has.
func value(raw json.RawMessage) (cty.Value, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	kind, err := ctyjson.ImpliedType(raw)
	if err != nil {
		return cty.NilVal, fmt.Errorf("read Feast's answer: %w", err)
	}
	return ctyjson.Unmarshal(raw, kind)
}

// document is the opposite of value; nil where nothing was given.
func document(v cty.Value) (json.RawMessage, error) {
	if v == cty.NilVal || v.IsNull() {
		return nil, nil
	}
	return ctyjson.Marshal(v, v.Type())
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// tail keeps the last lines that a process has printed, and hands each on. Safe
// for concurrent use.
type tail struct {
	log func(line string) // nil: nobody listens

	mu    sync.Mutex
	held  string
	lines []string
}

const tailLines = 20

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A progress bar begins its line anew with a carriage return.
	lines := strings.Split(strings.ReplaceAll(t.held+string(p), "\r", "\n"), "\n")
	t.held = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		line = strings.TrimRight(colours.ReplaceAllString(line, ""), " ")
		if line == "" {
			continue
		}
		if t.lines = append(t.lines, line); len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
		if t.log != nil {
			t.log(line)
		}
	}
	return len(p), nil
}

// said is ": " and the last line, or nothing.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return ": " + t.lines[len(t.lines)-1]
}
