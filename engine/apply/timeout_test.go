package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
)

// The runbook's timeout does not run while a person is asked.
func TestTimeoutDoesNotCountPeople(t *testing.T) {
	source := step("a", strings.Replace(set, "value", "destroys = true\n    value", 1)) + step("b", set) + step("c", set)
	for name, test := range map[string]struct {
		asked, takes time.Duration
		want         string
	}{
		"a long answer":          {time.Hour, 5 * time.Second, "succeeded: a=done b=done c=done"},
		"and then a slow action": {time.Hour, 25 * time.Second, "failed: a=done b=done c=not_run"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, source)
				tr.rb.Timeout = 30 * time.Second
				tr.takes = test.takes
				tr.opts.Ask = func(context.Context, apply.Question) (bool, error) {
					<-time.After(test.asked) // virtual: the person thinks
					return true, nil
				}
				tr.expect(tr.run(), test.want)
			})
		})
	}
}
