package ui

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLooking(t *testing.T) {
	for name, c := range map[string]struct {
		terminal bool
		wait     time.Duration
		want     string
	}{
		"a quick look is silent":      {true, 900 * time.Millisecond, ""},
		"a terminal draws over":       {true, 1250 * time.Millisecond, "\r\x1b[Kstill looking (1s): step.x\r\x1b[Kstill looking (1s): step.x\r\x1b[K"},
		"a log repeats now and then":  {false, 21 * time.Second, "still looking (10s): step.x\nstill looking (20s): step.x\n"},
		"a log of a short look":       {false, 9 * time.Second, ""},
		"a terminal before the first": {true, 100 * time.Millisecond, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				looking := StartLooking(&out, Style{}, c.terminal)
				looking.Step("step.x")
				<-time.After(c.wait)
				looking.Stop()
				looking.Stop()
				if diff := cmp.Diff(c.want, out.String()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
