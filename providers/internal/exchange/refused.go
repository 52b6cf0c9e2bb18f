package exchange

import (
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Refused types the failure f of an action whose request was answered by a status
// that was not expected, and says how far the action got by that. retryAfter is the
// answer's header of that name; empty: there is none.
func Refused(f *schema.Failure, status int, retryAfter string, now time.Time) error {
	f.Code, f.Remedy = TurnedAway(status)
	if f.Retryable = status == nethttp.StatusTooManyRequests || status == nethttp.StatusServiceUnavailable; f.Retryable {
		f.RetryAfterSeconds = RetryAfter(retryAfter, now).Seconds()
	}
	switch status {
	case nethttp.StatusUnauthorized, nethttp.StatusForbidden, nethttp.StatusNotFound, nethttp.StatusMethodNotAllowed,
		nethttp.StatusRequestEntityTooLarge, nethttp.StatusUnsupportedMediaType, nethttp.StatusTooManyRequests:
		return sdk.Clean(f) // turned away before anything was done
	case nethttp.StatusBadGateway, nethttp.StatusGatewayTimeout:
		return sdk.Uncertain(f) // a gateway's word; what is behind it may still be at work
	}
	return f
}

// RetryAfter is how long a Retry-After header asks to be left alone; 0 where it
// says nothing that can be read, or a time that has passed.
func RetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := nethttp.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
