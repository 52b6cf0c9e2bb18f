package redact

import "io"

// Writer scrubs what is written through it, also where a secret or a control
// sequence is cut in two. It keeps back only what may be the beginning of a
// secret. Not safe for concurrent use.
type Writer struct {
	redactor *Redactor
	to       io.Writer
	strip    stripper
	pending  []byte // visible, but perhaps the beginning of a secret
	covered  int    // how many of those are part of one that was found and told
	out      []byte
}

// Writer scrubs what is written and passes it on to w. Close it to get the rest
// out; that does not close w.
func (r *Redactor) Writer(w io.Writer) *Writer { return &Writer{redactor: r, to: w} }

// Write implements io.Writer. Secrets that were added meanwhile count.
func (w *Writer) Write(p []byte) (int, error) {
	w.pending = w.strip.add(w.pending, p)
	w.scrub(false)
	if err := w.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what was kept back.
func (w *Writer) Close() error {
	w.pending = w.strip.end(w.pending)
	w.scrub(true)
	return w.flush()
}

// scrub moves what is decided from pending to out.
func (w *Writer) scrub(last bool) {
	m := w.redactor.automaton()
	state := root
	secret := make([]span, 0, 4)
	if w.covered > 0 {
		secret = append(secret, span{0, w.covered})
	}
	told := w.covered > 0
	for i, c := range w.pending {
		state = m.step(state, c)
		if n := m.matched(state); n > 0 {
			secret = cover(secret, span{i + 1 - n, i + 1})
		}
	}
	decided := len(w.pending)
	if !last {
		decided -= m.open(state)
	}
	w.covered = 0
	at := 0
	for _, s := range secret {
		if s.from >= decided {
			break
		}
		w.out = append(w.out, w.pending[at:s.from]...)
		if !told || s.from > 0 {
			w.out = append(w.out, Text...)
		}
		at = min(s.to, decided)
		if s.to > decided {
			w.covered = s.to - decided
		}
	}
	w.out = append(w.out, w.pending[at:decided]...)
	w.pending = append(w.pending[:0], w.pending[decided:]...)
}

// span is the half-open range of bytes that a secret takes.
type span struct{ from, to int }

// cover adds a span that ends last, joined with those that it overlaps.
func cover(spans []span, s span) []span {
	for len(spans) > 0 && spans[len(spans)-1].to > s.from {
		s.from = min(s.from, spans[len(spans)-1].from)
		s.to = max(s.to, spans[len(spans)-1].to)
		spans = spans[:len(spans)-1]
	}
	return append(spans, s)
}

func (w *Writer) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.to.Write(w.out)
	w.out = w.out[:0]
	return err
}
