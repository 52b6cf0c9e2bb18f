package apply

import (
	"hash/fnv"
	"math"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// retry decides whether a failed attempt is followed by another one, rows 21
// and 22, and if so waits for its turn. Nothing is claimed meanwhile.
func (r *run) retry(t *task, s *state) bool {
	failure := s.retryable
	s.retryable = nil
	if failure == nil {
		return true // again after an unknown outcome: at once
	}
	retry := s.step.Retry
	if retry == nil || s.tries >= retry.Attempts || s.halted() != "" || !r.worthRetrying(s, failure) {
		return false
	}
	pause := max(delay(retry, s.tries, s.last.Key), wish(failure))
	until := r.clock.Now().Add(pause)
	if s.step.Timeout > 0 && !s.rolling {
		if s.actLeft -= pause; s.actLeft <= 0 {
			return false
		}
	}
	r.say(event.Event{Type: event.StepWaiting, Step: s.address, WaitsFor: "retry", Until: &until, Message: failure.Message})
	if t.sleep(r.context(s), pause) != nil {
		r.end(s, interrupted, 21, failure.Error()+"; interrupted before it was tried again")
		return false
	}
	return s.halted() == ""
}

// worthRetrying asks the retry's when.
func (r *run) worthRetrying(s *state, failure *schema.Failure) bool {
	when := s.step.Retry.When
	if when == nil {
		return true
	}
	x := s.extra
	x.Error = cty.ObjectVal(map[string]cty.Value{"code": cty.StringVal(failure.Code), "message": cty.StringVal(failure.Message)})
	truth, diags := s.frame.observer.Scope.Condition(r.context(s), when, x)
	if diags.HasErrors() {
		r.warn("the retry of " + s.address + " cannot be decided: " + plan.Explain(diags))
	}
	return truth == eval.True
}

// wish is how long the backend wants to be left alone; 0: it does not say.
func wish(failure *schema.Failure) time.Duration {
	return time.Duration(failure.RetryAfterSeconds * float64(time.Second))
}

// delay is the pause after the given number of tries. Its jitter is drawn from
// the attempt's key: the same run waits for the same times.
func delay(retry *runbook.Retry, tries int, key string) time.Duration {
	d := float64(retry.Delay) * math.Pow(retry.Factor, float64(tries-1))
	d = min(d, float64(retry.MaxDelay))
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(key)) // never fails
	return time.Duration(d * (1 + retry.Jitter*float64(sum.Sum32())/math.MaxUint32))
}
