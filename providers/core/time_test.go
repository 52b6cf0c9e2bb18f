package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func at(t *testing.T, now string, args map[string]any) schema.Outcome {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	return sdktest.New(t, provider(func() time.Time { return moment }), nil).Probe("time", args)
}

func TestTime(t *testing.T) {
	// The Bogotá stock exchange, and Friday 2026-01-30.
	market := map[string]any{
		"timezone": "America/Bogota", "weekdays": []string{"mon", "Tuesday", "WED", "thu", "fri"},
		"between": []string{"08:30", "15:55"},
	}
	night := map[string]any{"weekdays": []string{"sat"}, "between": []string{"22:00", "04:00"}}
	berlin := map[string]any{"timezone": "Europe/Berlin", "between": []string{"01:00", "04:00"}}
	for name, test := range map[string]struct {
		now  string
		args map[string]any
		want map[string]any
	}{
		"no window": {"2026-01-31T12:00:00Z", nil, map[string]any{
			"ok": true, "summary": "it is Saturday 2026-01-31 12:00:00 +0000",
			"now": "2026-01-31T12:00:00Z", "local": "2026-01-31 12:00:00 +0000", "weekday": "Saturday",
			"opens": nil, "closes": nil,
		}},
		"market open": {"2026-01-30T13:30:00Z", market, map[string]any{
			"ok": true, "summary": "it is Friday 2026-01-30 08:30:00 -0500; the window closes Friday 2026-01-30 15:55 -0500",
			"now": "2026-01-30T13:30:00Z", "local": "2026-01-30 08:30:00 -0500", "weekday": "Friday",
			"opens": nil, "closes": "2026-01-30T20:55:00Z",
		}},
		"market closed for the weekend": {"2026-01-30T20:55:00Z", market, map[string]any{
			"ok": false, "summary": "it is Friday 2026-01-30 15:55:00 -0500; the window opens Monday 2026-02-02 08:30 -0500",
			"now": "2026-01-30T20:55:00Z", "local": "2026-01-30 15:55:00 -0500", "weekday": "Friday",
			"opens": "2026-02-02T13:30:00Z", "closes": nil,
		}},
		"over midnight, on the day after": {"2026-02-01T03:59:59Z", night, map[string]any{
			"ok": true, "summary": "it is Sunday 2026-02-01 03:59:59 +0000; the window closes Sunday 2026-02-01 04:00 +0000",
			"now": "2026-02-01T03:59:59Z", "local": "2026-02-01 03:59:59 +0000", "weekday": "Sunday",
			"opens": nil, "closes": "2026-02-01T04:00:00Z",
		}},
		"over midnight, a week ahead": {"2026-02-01T04:00:00Z", night, map[string]any{
			"ok": false, "summary": "it is Sunday 2026-02-01 04:00:00 +0000; the window opens Saturday 2026-02-07 22:00 +0000",
			"now": "2026-02-01T04:00:00Z", "local": "2026-02-01 04:00:00 +0000", "weekday": "Sunday",
			"opens": "2026-02-07T22:00:00Z", "closes": nil,
		}},
		"whole days that touch are one window": {"2026-01-28T12:00:00Z", map[string]any{
			"weekdays": []string{"mon", "tue", "wed", "thu", "fri"},
		}, map[string]any{
			"ok": true, "summary": "it is Wednesday 2026-01-28 12:00:00 +0000; the window closes Saturday 2026-01-31 00:00 +0000",
			"now": "2026-01-28T12:00:00Z", "local": "2026-01-28 12:00:00 +0000", "weekday": "Wednesday",
			"opens": nil, "closes": "2026-01-31T00:00:00Z",
		}},
		"the hour that summer time skips": {"2026-03-29T01:30:00Z", berlin, map[string]any{
			"ok": true, "summary": "it is Sunday 2026-03-29 03:30:00 +0200; the window closes Sunday 2026-03-29 04:00 +0200",
			"now": "2026-03-29T01:30:00Z", "local": "2026-03-29 03:30:00 +0200", "weekday": "Sunday",
			"opens": nil, "closes": "2026-03-29T02:00:00Z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, sdktest.Go(t, at(t, test.now, test.args).Result)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTimeArguments(t *testing.T) {
	for argument, args := range map[string]map[string]any{
		"timezone": {"timezone": "Mars/Olympus"},
		"weekdays": {"weekdays": []string{"caturday"}},
		"between":  {"between": []string{"25:00", "26:00"}},
	} {
		o := at(t, "2026-01-31T12:00:00Z", args)
		if o.Failure == nil || o.Failure.Argument != argument {
			t.Errorf("%v answered %+v", args, o.Failure)
		}
	}
	for _, between := range [][]string{{"09:00"}, {"09:00", "09:00"}} {
		o := at(t, "2026-01-31T12:00:00Z", map[string]any{"between": between})
		if o.Failure == nil || o.Failure.Argument != "between" {
			t.Errorf("%v answered %+v", between, o.Failure)
		}
	}
}
