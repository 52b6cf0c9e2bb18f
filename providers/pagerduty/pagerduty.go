// Package pagerduty pages people by PagerDuty's Events API v2. An event carries a
// dedup_key: the same for every attempt of a run's step, so that one incident comes
// of it, however often it is sent.
package pagerduty

import (
	"context"
	"encoding/json"
	nethttp "net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how PagerDuty is reached.
type Config struct {
	RoutingKey string `runbook:"routing_key,sensitive" doc:"The integration key of a service or of an orchestration, for Events API v2."`
	APIURL     string `runbook:"api_url" default:"https://events.pagerduty.com" doc:"Where the Events API is; https://events.eu.pagerduty.com in the EU."`
	CAFile     string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
}

// Provider serves pagerduty.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "pagerduty", Version: "0.1.0",
		Doc:       "Pages people, and ends what they were paged for, by PagerDuty's Events API v2. It uses no proxy.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Actions: []sdk.Action{
			sdk.NewAction("trigger", triggerDoc, p.trigger, sdk.Describe(p.describeTrigger), sdk.Keyed),
			sdk.NewAction("resolve", resolveDoc, p.resolve, sdk.Describe(p.describeResolve), sdk.Idempotent),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	p.config = c
	return nil
}

const triggerDoc = "Opens an incident, or adds to the open one of the same `dedup_key`. Without one, the key of run and step is it: a second attempt opens no second incident."

const resolveDoc = "Resolves the open incident of a `dedup_key`, such as step.page.result.dedup_key. Where none is open it does nothing."

// TriggerArgs is what trigger takes.
type TriggerArgs struct {
	Summary   string            `runbook:"summary" doc:"What is the matter; the incident's title. Cut at 1024 characters."`
	Source    string            `runbook:"source,optional" doc:"What has it; without it this machine's name."`
	Severity  string            `runbook:"severity" default:"error" doc:"critical, error, warning or info."`
	Component string            `runbook:"component,optional" doc:"Which part of the source."`
	Group     string            `runbook:"group,optional" doc:"What the source belongs to, such as trading."`
	Details   map[string]string `runbook:"details,optional" doc:"More, by name."`
	DedupKey  string            `runbook:"dedup_key,optional" doc:"What tells this incident from others, at most 255 characters; without it the key of run and step."`
}

// ResolveArgs is what resolve takes.
type ResolveArgs struct {
	DedupKey string `runbook:"dedup_key" doc:"The incident's, as trigger returned it."`
}

// Accepted is the answer of trigger and resolve.
type Accepted struct {
	sdk.Result
	DedupKey string `runbook:"dedup_key" doc:"What the incident is known by; resolve takes it."`
}

// The bounds of the Events API.
const (
	longestSummary = 1024
	longestKey     = 255
)

var severities = []string{"critical", "error", "warning", "info"}

func (a TriggerArgs) check(unknown func(string) bool) *schema.Failure {
	switch {
	case !unknown("summary") && strings.TrimSpace(a.Summary) == "":
		return sdk.InvalidArgument("summary", "there is nothing to say")
	case !unknown("severity") && !slices.Contains(severities, a.Severity):
		return sdk.InvalidArgument("severity", "%q is none of %s", a.Severity, strings.Join(severities, ", "))
	}
	return checkKey(a.DedupKey)
}

func checkKey(key string) *schema.Failure {
	if len(key) > longestKey {
		return sdk.InvalidArgument("dedup_key", "it has %d characters, and PagerDuty takes %d", len(key), longestKey)
	}
	return nil
}

// target is where events are sent to.
func (p *provider) target() (*url.URL, *schema.Failure) {
	u, err := url.Parse(strings.TrimSuffix(p.config.APIURL, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, sdk.InvalidArgument("api_url", "the configured URL must begin with https:// and name a host")
	}
	return u.JoinPath("v2", "enqueue"), nil
}

func (p *provider) describe(d sdk.Description, failure *schema.Failure, event func(string) map[string]any, known bool) sdk.Description {
	u, wrong := p.target()
	if d.Failure = failure; wrong != nil {
		d.Failure = wrong
	}
	if d.Failure != nil {
		return d
	}
	d.Effects = []schema.Effect{{Resource: sdk.EffectURL(u), Mode: schema.Write}}
	data := "$EVENT"
	if known {
		body, err := json.Marshal(event("ROUTING_KEY"))
		if err == nil {
			data = string(body)
		}
	}
	d.Command = []string{"curl", "-fsS", "-X", "POST", "-H", "Content-Type: application/json", "--data-raw", data, u.String()}
	return d
}

func (p *provider) describeTrigger(args TriggerArgs, call *sdk.Call) sdk.Description {
	known := true
	for _, name := range []string{"summary", "source", "severity", "component", "group", "details", "dedup_key"} {
		known = known && !call.Unknown(name)
	}
	key := args.DedupKey
	if key == "" {
		key = "KEY_OF_RUN_AND_STEP"
	}
	return p.describe(sdk.Description{Summary: "pages people by PagerDuty"}, args.check(call.Unknown), func(routing string) map[string]any {
		return args.event(routing, key, source(args.Source, "SOURCE"))
	}, known)
}

func (p *provider) describeResolve(args ResolveArgs, call *sdk.Call) sdk.Description {
	return p.describe(sdk.Description{Summary: "resolves a PagerDuty incident"}, checkKey(args.DedupKey), args.event, !call.Unknown("dedup_key"))
}

func source(said, unsaid string) string {
	if said == "" {
		return unsaid
	}
	return said
}

// event is what is sent, as PagerDuty documents it.
func (a TriggerArgs) event(routing, key, source string) map[string]any {
	summary := a.Summary
	if short := []rune(summary); len(short) > longestSummary {
		summary = string(short[:longestSummary-1]) + "…"
	}
	payload := map[string]any{"summary": summary, "source": source, "severity": a.Severity}
	for name, value := range map[string]string{"component": a.Component, "group": a.Group} {
		if value != "" {
			payload[name] = value
		}
	}
	if len(a.Details) > 0 {
		payload["custom_details"] = a.Details
	}
	return map[string]any{"routing_key": routing, "event_action": "trigger", "dedup_key": key, "client": "runbook", "payload": payload}
}

func (a ResolveArgs) event(routing string) map[string]any {
	return map[string]any{"routing_key": routing, "event_action": "resolve", "dedup_key": a.DedupKey}
}

func (p *provider) trigger(ctx context.Context, args TriggerArgs, call *sdk.Call) (Accepted, error) {
	if failure := args.check(func(string) bool { return false }); failure != nil {
		return Accepted{}, sdk.Clean(failure)
	}
	own, err := os.Hostname()
	if err != nil {
		own = "runbook"
	}
	key := args.DedupKey
	if key == "" {
		key = call.Key()
	}
	return p.send(ctx, args.event(p.config.RoutingKey, key, source(args.Source, own)), key, "paged: "+args.Summary)
}

func (p *provider) resolve(ctx context.Context, args ResolveArgs, _ *sdk.Call) (Accepted, error) {
	if failure := checkKey(args.DedupKey); failure != nil {
		return Accepted{}, sdk.Clean(failure)
	}
	if args.DedupKey == "" {
		return Accepted{}, sdk.Clean(sdk.InvalidArgument("dedup_key", "it is empty: which incident is meant?"))
	}
	return p.send(ctx, args.event(p.config.RoutingKey), args.DedupKey, "resolved "+args.DedupKey)
}

func (p *provider) send(ctx context.Context, event map[string]any, key, done string) (Accepted, error) {
	u, failure := p.target()
	if failure != nil {
		return Accepted{}, sdk.Clean(failure)
	}
	body, err := json.Marshal(event)
	if err != nil {
		return Accepted{}, sdk.Clean(sdk.InvalidArgument("summary", "the event cannot be sent as JSON: %v", err))
	}
	reply, err := exchange.Send(ctx, exchange.Message{
		URL: u.String(), Where: u.Host, Body: body, CAFile: p.config.CAFile,
		Header: nethttp.Header{"Content-Type": {"application/json"}, "User-Agent": {"runbook"}},
	})
	if err != nil {
		return Accepted{}, err
	}
	var said struct {
		Status   string   `json:"status"`
		Message  string   `json:"message"`
		Errors   []string `json:"errors"`
		DedupKey string   `json:"dedup_key"`
	}
	_ = json.Unmarshal(reply.Body, &said) // what it does not say is not taken for success
	switch {
	case reply.Status == nethttp.StatusAccepted && said.Status == "success":
		if said.DedupKey != "" {
			key = said.DedupKey
		}
		return Accepted{Result: sdk.OK("%s", done), DedupKey: key}, nil
	case reply.Status >= 200 && reply.Status <= 299:
		f := sdk.Fail("not_pagerduty", "%s answered %d, and not as PagerDuty does", u.Host, reply.Status)
		f.Remedy = "correct api_url, or see what stands between this machine and PagerDuty"
		return Accepted{}, sdk.Uncertain(f)
	}
	f := sdk.Fail("", "PagerDuty (%s) answered %d%s", u.Host, reply.Status, why(said.Message, said.Errors))
	refused := exchange.Refused(f, reply.Status, reply.Header.Get("Retry-After"), time.Now())
	if reply.Status == nethttp.StatusBadRequest { // nothing was taken
		if slices.ContainsFunc(said.Errors, func(e string) bool {
			return strings.Contains(strings.ToLower(e), "routing_key") || strings.Contains(strings.ToLower(e), "routing key")
		}) {
			f.Code, f.Remedy = "authentication_failed", "give the integration key of a service for Events API v2 as routing_key"
		}
		return Accepted{}, sdk.Clean(f)
	}
	return Accepted{}, refused
}

// why is what an answer says of itself, in one line.
func why(message string, errors []string) string {
	said := strings.Join(strings.Fields(strings.Join(append([]string{message}, errors...), " ")), " ")
	if said == "" {
		return ""
	}
	if short := []rune(said); len(short) > 200 {
		said = string(short[:200])
	}
	return ": " + said
}
