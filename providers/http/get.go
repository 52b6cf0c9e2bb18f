package http

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const getDoc = `Gets a URL. Ok where the status is expected, the body matches, and what calls itself JSON is JSON. What does not answer is not ok; it is no error.
Some servers answer 200 whatever their state and tell it in JSON: look into that with an expression, where others take a JSON path, as in
assert = result.ok && result.json.checks[0].status == "healthy". What is not there does not hold.`

// GetArgs is what get takes.
type GetArgs struct {
	Target
	Status      []int  `runbook:"status" default:"[200]" doc:"Expected status codes."`
	BodyPattern string `runbook:"body_pattern,optional" doc:"Regular expression (RE2) that the body must match."`
}

// Got is the answer of get.
type Got struct {
	sdk.Result
	Reason string `runbook:"reason" doc:"Why it is not ok: connection_refused, timeout, host_unknown, tls_failed, connection_lost or connection_failed where nothing answered; authentication_failed, permission_denied, not_found, redirected, unavailable or another word for the status; no_match; not_json. Empty where it is ok."`
	Answer
}

func (p *provider) get(ctx context.Context, args GetArgs, _ *sdk.Call) (Got, error) {
	pattern, err := regexp.Compile(args.BodyPattern)
	if err != nil {
		return Got{}, sdk.InvalidArgument("body_pattern", "the pattern cannot be read: %v", err)
	}
	bounded, stop := reach.Early(ctx)
	defer stop()
	req, failure := p.newRequest(bounded, "GET", args.Target, nil)
	if failure != nil {
		return Got{}, failure
	}
	client, done, err := p.client()
	if err != nil {
		return Got{}, err
	}
	defer done()

	var got Got
	began := time.Now()
	response, err := client.Do(req)
	if err == nil {
		err = got.take(response)
		_ = response.Body.Close()
	}
	got.Latency = time.Since(began).Seconds()
	if err != nil && ctx.Err() == context.Canceled {
		return Got{}, sdk.Fail("cancelled", "cancelled while asking %s", exchange.Place(req.URL))
	}
	switch {
	case err != nil && got.Status == nil:
		got.Reason = exchange.Reason(bounded, err)
		got.Result = sdk.NotOK("%s does not answer: %s", exchange.Place(req.URL), exchange.Why(bounded, err))
	case err != nil:
		got.Reason = exchange.Reason(bounded, err)
		got.Result = sdk.NotOK("%s broke off its answer: %s", exchange.Place(req.URL), exchange.Why(bounded, err))
	default:
		got.Reason, got.Result = got.judge(exchange.Place(response.Request.URL), args, pattern)
	}
	return got, nil
}

func (g *Got) judge(place string, args GetArgs, pattern *regexp.Regexp) (reason string, _ sdk.Result) {
	word, _ := exchange.TurnedAway(*g.Status)
	told := fmt.Sprintf("%s answered %d in %s", place, *g.Status, time.Duration(g.Latency*float64(time.Second)).Round(time.Millisecond))
	switch {
	case !slices.Contains(args.Status, *g.Status) && g.Location != "":
		return word, sdk.NotOK("%s, a redirect that is not followed to %s", told, redirected(g.Location))
	case !slices.Contains(args.Status, *g.Status):
		return word, sdk.NotOK("%s, not %s", told, oneOf(args.Status))
	case args.BodyPattern != "" && !pattern.MatchString(g.Body):
		return "no_match", sdk.NotOK("%s, and its body does not match %s", told, args.BodyPattern)
	case g.saysJSON() && g.JSON == cty.NilVal && !g.Truncated && g.Body != "":
		return "not_json", sdk.NotOK("%s, and calls JSON what is none", told)
	}
	return "", sdk.OK("%s", told)
}
