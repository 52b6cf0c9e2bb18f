package review

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/robfig/cron/v3"
)

// collide is a time at which two schedules, written as five fields of cron, start
// together, such as "at 03:00"; empty: never, or one of them is written otherwise.
func collide(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	x, y := fields(a), fields(b)
	if x == nil || y == nil {
		if a == b {
			return "at " + a // whatever it means
		}
		return ""
	}
	minutes, hours := (x.Minute&y.Minute)<<1>>1, (x.Hour&y.Hour)<<1>>1
	if minutes == 0 || hours == 0 || !sameDay(x, y) {
		return ""
	}
	return fmt.Sprintf("at %02d:%02d", bits.TrailingZeros64(hours), bits.TrailingZeros64(minutes))
}

func fields(text string) *cron.SpecSchedule {
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil
	}
	spec, _ := schedule.(*cron.SpecSchedule)
	return spec
}

// sameDay tells whether there is a day of both: within 28 years every date has
// fallen on every weekday.
func sameDay(x, y *cron.SpecSchedule) bool {
	day := time.Date(2000, time.January, 1, 12, 0, 0, 0, time.UTC)
	for end := day.AddDate(28, 0, 0); day.Before(end); day = day.AddDate(0, 0, 1) {
		if falls(x, day) && falls(y, day) {
			return true
		}
	}
	return false
}

// falls tells whether a schedule starts on a day. As in cron, where both a day of
// the month and a weekday are named, either will do.
func falls(s *cron.SpecSchedule, day time.Time) bool {
	const star = uint64(1) << 63
	month := s.Month&(1<<uint(day.Month())) != 0
	date, weekday := s.Dom&(1<<uint(day.Day())) != 0, s.Dow&(1<<uint(day.Weekday())) != 0
	if s.Dom&star != 0 || s.Dow&star != 0 {
		return month && date && weekday
	}
	return month && (date || weekday)
}
