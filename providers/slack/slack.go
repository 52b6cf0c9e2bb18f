// Package slack posts messages to Slack: by an incoming webhook, or as an app by
// chat.postMessage. Slack knows no key of a message, so one is never sent again
// where nobody knows whether it arrived.
package slack

import (
	"context"
	"encoding/json"
	nethttp "net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is how Slack is reached.
type Config struct {
	WebhookURL string `runbook:"webhook_url,optional,sensitive" doc:"An incoming webhook's URL, which posts to its one channel. Either this or token."`
	Token      string `runbook:"token,optional,sensitive" doc:"A bot's token with the scope chat:write, which posts to any channel it is in. Either this or webhook_url."`
	APIURL     string `runbook:"api_url" default:"https://slack.com/api" doc:"Where the Web API is."`
	CAFile     string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
}

// Provider serves slack.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "slack", Version: "0.1.0",
		Doc:       "Posts messages to Slack, by an incoming webhook or with a bot's token. It uses no proxy.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Actions: []sdk.Action{
			sdk.NewAction("post", postDoc, p.post, sdk.Describe(p.describePost), sdk.Manual),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	p.config = c
	return nil
}

const postDoc = "Posts one message. It is posted once: where nobody knows whether it arrived, a person has to say, since Slack cannot tell a repetition."

// PostArgs is what post takes.
type PostArgs struct {
	Text     string    `runbook:"text" doc:"The message, in Slack's mrkdwn; with blocks, what a notification shows."`
	Channel  string    `runbook:"channel,optional" doc:"Channel by its ID or #name. Needed with a token; an incoming webhook has one of its own."`
	ThreadTS string    `runbook:"thread_ts,optional" doc:"Timestamp of the message to answer in a thread, as an earlier post returned it."`
	Blocks   cty.Value `runbook:"blocks,optional" doc:"Block Kit blocks, a list of objects."`
}

// Posted is the answer of post.
type Posted struct {
	sdk.Result
	Channel   string `runbook:"channel" doc:"ID of the channel; empty by an incoming webhook, which does not say."`
	Timestamp string `runbook:"timestamp" doc:"Slack's timestamp of the message, for thread_ts; empty by an incoming webhook."`
}

// longest is what Slack takes of a text before it cuts it.
const longest = 40_000

func (p *provider) check(args PostArgs, unknown func(string) bool) *schema.Failure {
	channel := args.Channel != "" || unknown("channel")
	switch c := p.config; {
	case (c.WebhookURL == "") == (c.Token == ""):
		return sdk.InvalidArgument("webhook_url", "the provider needs either webhook_url or token")
	case c.Token != "" && !channel:
		return sdk.InvalidArgument("channel", "with a token the channel has to be said")
	case c.WebhookURL != "" && args.Channel != "":
		return sdk.InvalidArgument("channel", "an incoming webhook posts to its own channel; with a token any can be given")
	case !unknown("text") && strings.TrimSpace(args.Text) == "":
		return sdk.InvalidArgument("text", "there is nothing to post")
	case len(args.Text) > longest:
		return sdk.InvalidArgument("text", "the text has %d bytes, and Slack cuts it at %d", len(args.Text), longest)
	}
	return nil
}

// target is the address of the call, and what of it is no secret.
func (p *provider) target() (address string, shown *url.URL, failure *schema.Failure) {
	name := "webhook_url"
	if address = p.config.WebhookURL; p.config.Token != "" {
		name, address = "api_url", strings.TrimSuffix(p.config.APIURL, "/")+"/chat.postMessage"
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", nil, sdk.InvalidArgument(name, "the configured URL must begin with https:// and name a host")
	}
	return address, &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func (a PostArgs) payload() ([]byte, *schema.Failure) {
	said := map[string]any{"text": a.Text}
	if a.Channel != "" {
		said["channel"] = a.Channel
	}
	if a.ThreadTS != "" {
		said["thread_ts"] = a.ThreadTS
	}
	if a.Blocks != cty.NilVal && !a.Blocks.IsNull() {
		blocks, err := ctyjson.Marshal(a.Blocks, a.Blocks.Type())
		if err != nil {
			return nil, sdk.InvalidArgument("blocks", "the blocks cannot be sent as JSON: %v", err)
		}
		said["blocks"] = json.RawMessage(blocks)
	}
	body, err := json.Marshal(said)
	if err != nil {
		return nil, sdk.InvalidArgument("text", "the message cannot be sent as JSON: %v", err)
	}
	return body, nil
}

func (p *provider) describePost(args PostArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Settling: schema.Manual, Summary: "posts a message to Slack"}
	_, shown, failure := p.target()
	if misconfigured := p.check(args, call.Unknown); misconfigured != nil {
		failure = misconfigured
	}
	if failure != nil {
		d.Failure = failure
		return d
	}
	where := shown
	if args.Channel != "" {
		d.Summary += ", " + args.Channel
		where = shown.JoinPath("channels", strings.TrimPrefix(args.Channel, "#"))
	}
	d.Effects = []schema.Effect{{Resource: sdk.EffectURL(where), Mode: schema.Write}}
	data := "$PAYLOAD"
	if known := !call.Unknown("text") && !call.Unknown("channel") && !call.Unknown("thread_ts") && !call.Unknown("blocks"); known {
		body, failure := args.payload()
		d.Failure = failure
		data = string(body)
	}
	d.Command = []string{"curl", "-fsS", "-X", "POST", "-H", "Content-Type: application/json; charset=utf-8"}
	if p.config.Token == "" {
		d.Command = append(d.Command, "--data-raw", data, "$SLACK_WEBHOOK_URL")
		return d
	}
	d.Command = append(d.Command, "-H", "Authorization: $SLACK_AUTHORIZATION", "--data-raw", data, strings.TrimSuffix(p.config.APIURL, "/")+"/chat.postMessage")
	return d
}

func (p *provider) post(ctx context.Context, args PostArgs, _ *sdk.Call) (Posted, error) {
	if failure := p.check(args, func(string) bool { return false }); failure != nil {
		return Posted{}, sdk.Clean(failure)
	}
	address, shown, failure := p.target()
	if failure != nil {
		return Posted{}, sdk.Clean(failure)
	}
	body, failure := args.payload()
	if failure != nil {
		return Posted{}, sdk.Clean(failure)
	}
	header := nethttp.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"runbook"}}
	if p.config.Token != "" {
		header.Set("Authorization", "Bearer "+p.config.Token)
	}
	reply, err := exchange.Send(ctx, exchange.Message{URL: address, Where: shown.Host, Header: header, Body: body, CAFile: p.config.CAFile})
	if err != nil {
		return Posted{}, err
	}
	if p.config.Token == "" {
		return p.judgeWebhook(shown.Host, reply)
	}
	return judge(shown.Host, reply)
}

// judgeWebhook reads what an incoming webhook answers: ok, or a word of why not.
func (p *provider) judgeWebhook(where string, reply exchange.Reply) (Posted, error) {
	word := wordOf(reply.Body)
	switch {
	case reply.Status == nethttp.StatusOK && word == "ok":
		return Posted{Result: sdk.OK("posted to Slack")}, nil
	case reply.Status == nethttp.StatusOK:
		return Posted{}, sdk.Uncertain(notSlack(where))
	}
	return Posted{}, refused(where, word, reply)
}

// judge reads what the Web API answers: its status is 200 also where it refuses.
func judge(where string, reply exchange.Reply) (Posted, error) {
	var said struct {
		OK      *bool  `json:"ok"`
		Error   string `json:"error"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	err := json.Unmarshal(reply.Body, &said)
	switch {
	case reply.Status != nethttp.StatusOK:
		return Posted{}, refused(where, said.Error, reply)
	case err != nil || said.OK == nil:
		return Posted{}, sdk.Uncertain(notSlack(where))
	case !*said.OK:
		return Posted{}, refused(where, said.Error, reply)
	}
	return Posted{Result: sdk.OK("posted to Slack, %s", said.Channel), Channel: said.Channel, Timestamp: said.TS}, nil
}

func notSlack(where string) *schema.Failure {
	f := sdk.Fail("not_slack", "%s answered 200, and not as Slack does", where)
	f.Remedy = "correct the URL, or see what stands between this machine and Slack"
	return f
}

// wordOf is an answer that is one word.
func wordOf(body []byte) string {
	word := strings.TrimSpace(string(body))
	if len(word) > 60 || strings.ContainsFunc(word, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return ""
	}
	return word
}

// refused types what Slack turned away: whatever it says by a word, it has not
// posted.
func refused(where, word string, reply exchange.Reply) error {
	f := sdk.Fail("", "Slack (%s) answered %d", where, reply.Status)
	if word == "" {
		return exchange.Refused(f, reply.Status, reply.Header.Get("Retry-After"), time.Now())
	}
	f.Message += ": " + word
	switch word {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "invalid_token", "no_service", "no_active_hooks", "no_team":
		f.Code, f.Remedy = "authentication_failed", "give the token or webhook URL of an app that is installed"
	case "missing_scope", "not_in_channel", "restricted_action", "action_prohibited", "posting_to_general_channel_denied", "user_not_found":
		f.Code, f.Remedy = "permission_denied", "give the app the scope chat:write and invite it to the channel"
	case "channel_not_found", "channel_is_archived", "is_archived":
		f.Code, f.Remedy = "not_found", "correct the channel, or unarchive it, and invite the app"
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		f.Code, f.Remedy, f.Retryable = "too_many_requests", "wait: Slack takes no more for now", true
		f.RetryAfterSeconds = exchange.RetryAfter(reply.Header.Get("Retry-After"), time.Now()).Seconds()
	case "invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text", "msg_too_long", "too_many_attachments":
		f.Code, f.Remedy = "invalid_request", "correct the text or the blocks"
	case "fatal_error", "internal_error", "service_unavailable", "request_timeout", "rollup_error":
		f.Code, f.Remedy = "unavailable", "see Slack's status page, and whether the message arrived"
		return sdk.Uncertain(f) // it says that something may have gone through
	default:
		f.Code, f.Remedy = "refused", "look the word up in the reference of chat.postMessage"
	}
	return sdk.Clean(f)
}
