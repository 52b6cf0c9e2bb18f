package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // timezones on machines that have none installed

	"github.com/runbook-engine/runbook/providers/sdk"
)

// TimeArgs is what time takes.
type TimeArgs struct {
	Timezone string   `runbook:"timezone" default:"UTC" doc:"IANA name, such as America/Bogota, that weekdays and times of day are meant in."`
	Weekdays []string `runbook:"weekdays,optional" doc:"English names or their first three letters; none given: every day."`
	Between  []string `runbook:"between,optional" doc:"Two times of day, such as [\"08:00\", \"12:55\"]: from the first until before the second. Where the first is the later one the window goes over midnight and belongs to the day it begins on."`
}

// Moment is the answer of time.
type Moment struct {
	sdk.Result
	Now     time.Time  `runbook:"now" doc:"The time now."`
	Local   string     `runbook:"local" doc:"The same in the timezone, such as 2026-01-31 14:05:00 -0500."`
	Weekday string     `runbook:"weekday" doc:"English name of the day in the timezone."`
	Opens   *time.Time `runbook:"opens" doc:"When the window opens next; null while it is open."`
	Closes  *time.Time `runbook:"closes" doc:"When the window closes; null while it is closed, and where it never closes."`
}

type clock struct{ now func() time.Time }

func (c *clock) time(_ context.Context, args TimeArgs, _ *sdk.Call) (Moment, error) {
	w, err := newWindow(args)
	if err != nil {
		return Moment{}, err
	}
	now := c.now().In(w.zone)
	m := Moment{Now: now, Local: now.Format("2006-01-02 15:04:05 -0700"), Weekday: now.Weekday().String()}
	span, open := w.at(now)
	told := fmt.Sprintf("it is %s %s", m.Weekday, m.Local)
	switch {
	case !open:
		m.Opens = &span.opens
		m.Result = sdk.NotOK("%s; the window opens %s", told, span.opens.Format("Monday 2006-01-02 15:04 -0700"))
	case w.always():
		m.Result = sdk.OK("%s", told)
	default:
		m.Closes = &span.closes
		m.Result = sdk.OK("%s; the window closes %s", told, span.closes.Format("Monday 2006-01-02 15:04 -0700"))
	}
	return m, nil
}

// window is a set of spans: one on each of its days. An end of the same or an
// earlier minute than its beginning is on the following day.
type window struct {
	zone     *time.Location
	days     [7]bool // by time.Weekday
	from, to int     // minutes of the day
}

type span struct{ opens, closes time.Time }

func newWindow(args TimeArgs) (*window, error) {
	w := &window{}
	var err error
	if w.zone, err = time.LoadLocation(args.Timezone); err != nil || args.Timezone == "Local" {
		return nil, sdk.InvalidArgument("timezone", "there is no timezone %q; give an IANA name such as America/Bogota", args.Timezone)
	}
	for day := range w.days {
		w.days[day] = len(args.Weekdays) == 0
	}
	for _, name := range args.Weekdays {
		day := slices.IndexFunc(weekdays, func(full string) bool {
			return strings.EqualFold(name, full) || strings.EqualFold(name, full[:3])
		})
		if day < 0 {
			return nil, sdk.InvalidArgument("weekdays", "%q is not a weekday; write monday or mon", name)
		}
		w.days[day] = true
	}
	switch len(args.Between) {
	case 0:
		return w, nil
	case 2:
	default:
		return nil, sdk.InvalidArgument("between", "between takes two times of day, not %d", len(args.Between))
	}
	for i, minutes := range []*int{&w.from, &w.to} {
		t, err := time.Parse("15:04", args.Between[i])
		if err != nil {
			return nil, sdk.InvalidArgument("between", "%q is not a time of day such as 09:30", args.Between[i])
		}
		*minutes = t.Hour()*60 + t.Minute()
	}
	if w.from == w.to {
		return nil, sdk.InvalidArgument("between", "the window begins and ends at %s; leave between out for whole days", args.Between[0])
	}
	return w, nil
}

var weekdays = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

func (w *window) always() bool {
	return w.from == w.to && !slices.Contains(w.days[:], false)
}

// on is the span that begins on the day of t. Wall clock times are resolved
// per day, so days of 23 and 25 hours are right.
func (w *window) on(t time.Time) span {
	at := func(day, minutes int) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+day, minutes/60, minutes%60, 0, 0, w.zone)
	}
	if w.to <= w.from {
		return span{at(0, w.from), at(1, w.to)}
	}
	return span{at(0, w.from), at(0, w.to)}
}

// at is the span around t, or the next one after it. Spans that touch, such as
// two whole days, are one.
func (w *window) at(t time.Time) (span, bool) {
	const reach = 9 // days: a weekly window, and one day more on either side
	var found span
	for day := -1; day < reach; day++ {
		date := time.Date(t.Year(), t.Month(), t.Day()+day, 12, 0, 0, 0, w.zone)
		next := w.on(date)
		switch {
		case !w.days[date.Weekday()] || !next.closes.After(t):
		case found.closes.IsZero():
			found = next
		case next.opens.Equal(found.closes):
			found.closes = next.closes
		}
	}
	return found, !found.opens.After(t)
}
