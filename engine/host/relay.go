package host

import (
	"fmt"
	"strings"
	"sync"

	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// relay scrubs what one action says and hands it on until it is closed. A line
// that comes in parts is scrubbed as one.
type relay struct {
	host *Host

	mu   sync.Mutex
	to   func(schema.Progress)
	open map[string]*line // by stream, those of which more is to come
}

// line is one of which only parts have come.
type line struct {
	scrub *redact.Writer // keeps back what may be the beginning of a secret
	clean strings.Builder
	lost  bool // a part is missing: the rest cannot be scrubbed
}

func newRelay(h *Host, to func(schema.Progress)) *relay {
	return &relay{host: h, to: to, open: map[string]*line{}}
}

func (r *relay) event(e protocol.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		return
	}
	if e.Dropped > 0 {
		clear(r.open) // what was kept back may be half of a secret whose other half was dropped
	}
	p := schema.Progress{Stream: stream(e.Stream), Message: r.scrubbed(e)}
	if e.Progress {
		p.Done, p.Total = e.Done, e.Total
	}
	if p.Message != "" || e.Progress {
		r.to(p)
	}
	if e.Dropped > 0 {
		r.to(schema.Progress{Message: fmt.Sprintf("(%d bytes of log were dropped here)", e.Dropped)})
	}
}

// stream is a stream that the engine knows.
func stream(said string) string {
	switch said {
	case "stdout", "stderr":
		return said
	}
	return ""
}

// scrubbed is what of an event can be shown now. Where something was dropped it
// may have been the end of this very text, and a secret with it: what may be the
// beginning of one is then not shown at all.
func (r *relay) scrubbed(e protocol.Event) string {
	cut := e.Dropped > 0
	if e.Progress {
		return r.whole(e.Text, cut)
	}
	l := r.open[stream(e.Stream)]
	if l == nil && !e.Partial {
		return r.whole(e.Text, cut)
	}
	if l == nil {
		l = &line{}
		l.scrub = r.host.redactor.Writer(&l.clean)
		r.open[stream(e.Stream)] = l
	}
	if !l.lost {
		_, _ = l.scrub.Write([]byte(e.Text)) // a strings.Builder never fails
	}
	if l.lost = l.lost || cut; !l.lost && !e.Partial {
		_ = l.scrub.Close()
	}
	if !e.Partial {
		delete(r.open, stream(e.Stream))
	}
	clean := l.clean.String()
	l.clean.Reset()
	return clean
}

// whole scrubs a text that no other continues.
func (r *relay) whole(text string, cut bool) string {
	if !cut {
		return r.host.redactor.Text(text)
	}
	var b strings.Builder
	_, _ = r.host.redactor.Writer(&b).Write([]byte(text)) // not closed: its end is not known
	return b.String()
}

func (r *relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = nil
}
