package ui

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Lines writes a line per event: what a CI log keeps and what is read at night.
// It is an event.Sink. The zero value is of no use; see NewLines.
type Lines struct {
	Attended bool // the run stays while somebody is asked: say how they answer

	w     io.Writer
	page  page
	zone  *time.Location
	began time.Time        // this process's part of the run
	day   string           // of the line before
	wide  int              // columns of the longest address so far
	shown map[string]shown // the last progress line of each step
}

// shown is what a progress line said last.
type shown struct {
	at    time.Time
	share float64
}

// Progress is worth a line when a tenth more is done or this long has passed.
const (
	progressShare = 0.1
	progressPause = 15 * time.Second
)

// NewLines writes to w; times are shown in zone.
func NewLines(w io.Writer, style Style, zone *time.Location) *Lines {
	return &Lines{w: w, page: page{style: style}, zone: zone, shown: map[string]shown{}}
}

// Emit writes the event's lines, if it is worth any.
func (l *Lines) Emit(e event.Event) error {
	l.dateline(e.Time)
	switch e.Type {
	case event.RunStarted:
		l.runStarted(e)
	case event.StepStarted:
		l.line(e, cyan, "▸", startText(e))
	case event.StepWaiting:
		l.line(e, yellow, "?", l.waitText(e))
	case event.ActionStarted:
		l.actionStarted(e)
	case event.Log:
		l.line(e, dim, "│", e.Message)
	case event.Progress:
		l.progress(e)
	case event.ActionFinished:
		if e.Attempt != nil && e.Attempt.State == schema.Ask {
			break // its question is what it waits for next
		}
		symbol, c, text := finishText(e)
		l.line(e, c, symbol, text)
	case event.Observed:
		symbol, c := observedMark(e.Observation)
		l.line(e, c, symbol, ObservationText(e.Observation))
	case event.StepFinished:
		symbol, c := statusMark(e.Status)
		l.line(e, c, symbol, statusText(e))
	case event.NoticeFinished:
		l.noticeFinished(e)
	case event.RunFinished:
		e.DurationSeconds = lasted(l.began, e)
		l.line(e, runColor(e.Outcome), "", runFinishedText(e))
	}
	return l.page.flush(l.w)
}

// lasted is how long a run took, by its last event, or else since it began.
func lasted(began time.Time, finished event.Event) float64 {
	if finished.DurationSeconds > 0 || began.IsZero() {
		return finished.DurationSeconds
	}
	return max(0, finished.Time.Sub(began).Seconds()) // the clock may have been set back
}

// dateline says the date whenever it is another than that of the line before.
func (l *Lines) dateline(t time.Time) {
	if day := t.In(l.zone).Format("Monday, 2 January 2006, MST"); day != l.day {
		l.day = day
		l.page.linef("%s", l.page.paint(dim, day))
	}
}

// line adds "15:04:05 step.x  ✓ text"; the text is coloured with its mark only
// where it tells good from bad.
func (l *Lines) line(e event.Event, c color, symbol, text string) {
	mark := styled("")
	if symbol != "" {
		mark = l.page.paint(c, symbol) + " "
	}
	painted := l.page.paint(plain, text)
	if c == red || c == dim || c == bold {
		painted = l.page.paint(c, text)
	}
	l.page.linef("%s %s%s%s", l.clock(e), l.address(e.Step), mark, painted)
}

func (l *Lines) clock(e event.Event) styled {
	return l.page.paint(dim, e.Time.In(l.zone).Format("15:04:05"))
}

// longestAddress bounds the column that addresses stand in.
const longestAddress = 32

func (l *Lines) address(step string) styled {
	if step == "" {
		return ""
	}
	l.wide = max(l.wide, min(utf8.RuneCountInString(step), longestAddress))
	return l.page.paint(bold, pad(step, l.wide)) + "  "
}

func (l *Lines) runStarted(e event.Event) {
	l.began = e.Time
	start := e.Start
	if start == nil {
		l.line(e, bold, "", "run "+e.Run)
		return
	}
	for _, step := range start.Steps {
		l.wide = max(l.wide, min(utf8.RuneCountInString(step), longestAddress))
	}
	verb := "started"
	switch {
	case start.TakeBack:
		verb = "is taken back"
	case start.Resumed:
		verb = "resumed"
	}
	l.line(e, bold, "", fmt.Sprintf("run %s %s: %s", e.Run, verb, start.Runbook))
	text := fmt.Sprintf("by %s on %s, from %s", start.Operator, start.Host, start.File)
	if start.Environment != "" {
		text += ", environment " + start.Environment
	}
	l.line(e, plain, "", text)
}

func (l *Lines) waitText(e event.Event) string {
	text := "waits"
	switch e.WaitsFor {
	case waitsForPerson:
		text = "waits for a person"
	case "lock":
		text = "waits for a lock"
	case "retry":
		text = "tries again, and waits"
	}
	if e.WaitsFor == waitsForPerson && l.Attended {
		text += ", such as by `" + ApproveCommand(e.Run, e.Step) + "`,"
	}
	if e.Until != nil {
		text += " until " + e.Until.In(l.zone).Format("15:04:05")
	}
	return named(text, e.Message)
}

func (l *Lines) actionStarted(e event.Event) {
	if e.Attempt == nil {
		return
	}
	l.line(e, cyan, "▸", attemptText(e.Attempt))
	if by := e.Attempt.ApprovedBy; by != "" {
		l.line(e, dim, "·", "approved by "+by+suffix(e.Attempt.Note))
	}
	if e.Attempt.Command != "" {
		l.line(e, cyan, "$", e.Attempt.Command)
	}
}

// noticeFinished says who was told, or why not, in the place of a step.
func (l *Lines) noticeFinished(e event.Event) {
	if e.Notice == nil || e.Attempt == nil {
		return
	}
	e.Step = e.Notice.Address
	about := "the run"
	if e.Notice.On != "" {
		about = words(e.Notice.On)
	}
	if e.Attempt.State == schema.Done {
		l.line(e, green, "✓", named("told of "+about+" by "+e.Attempt.Action, e.Message))
		return
	}
	l.line(e, yellow, "!", named("has not told of "+about+" by "+e.Attempt.Action, e.Message))
}

func (l *Lines) progress(e event.Event) {
	share := 0.0
	if e.Total > 0 {
		share = e.Done / e.Total
	}
	last, before := l.shown[e.Step]
	if before && share-last.share < progressShare && e.Time.Sub(last.at) < progressPause && share < 1 {
		return
	}
	l.shown[e.Step] = shown{at: e.Time, share: share}
	l.line(e, dim, "│", progressText(e))
}
