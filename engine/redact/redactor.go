package redact

import (
	"strings"
	"sync"
	"sync/atomic"
)

// minLength is the shortest secret that is looked for: shorter ones would blot
// out half of every text.
const minLength = 4

// minLine is the same for one line of a secret of several: braces and such are
// no secret.
const minLine = 8

// Redactor knows every secret of this process and scrubs them from text, in
// whatever common form they come back. Safe for concurrent use.
type Redactor struct {
	mu       sync.Mutex
	secrets  map[string]bool
	patterns map[string]bool
	matcher  atomic.Pointer[automaton] // nil: to be built
}

// New is a Redactor that knows no secret.
func New() *Redactor {
	return &Redactor{secrets: map[string]bool{}, patterns: map[string]bool{}}
}

// Add makes a secret known. Secrets under four bytes are left alone. Of a
// secret of several lines each line counts too, as logs show one at a time.
func (r *Redactor) Add(value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(value) < minLength || r.secrets[value] {
		return
	}
	r.secrets[value] = true
	r.add(value)
	if lines := strings.Split(value, "\n"); len(lines) > 1 {
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= minLine {
				r.add(line)
			}
		}
	}
	r.matcher.Store(nil)
}

func (r *Redactor) add(value string) {
	for _, variant := range variants(value) {
		if variant = strip(variant); len(variant) >= minLength {
			r.patterns[variant] = true
		}
	}
}

// Text is s without secrets and without control sequences; newlines and tabs
// stay.
func (r *Redactor) Text(s string) string {
	var b strings.Builder
	w := r.Writer(&b)
	_, _ = w.Write([]byte(s)) // a strings.Builder never fails
	_ = w.Close()
	return b.String()
}

// Contains reports whether s holds a secret in any of its forms.
func (r *Redactor) Contains(s string) bool {
	m := r.automaton()
	state := root
	for _, c := range []byte(strip(s)) {
		state = m.step(state, c)
		if m.matched(state) > 0 {
			return true
		}
	}
	return false
}

func (r *Redactor) automaton() *automaton {
	if m := r.matcher.Load(); m != nil {
		return m
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.matcher.Load()
	if m == nil {
		m = newAutomaton(r.patterns)
		r.matcher.Store(m)
	}
	return m
}
