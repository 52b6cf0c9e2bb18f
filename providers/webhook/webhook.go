// Package webhook tells other programs something by an HTTP POST of JSON. Where it
// goes is configuration, since such an address is a secret often enough.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	nethttp "net/http"
	"net/url"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config says where messages go, and how they are vouched for.
type Config struct {
	URL    string `runbook:"url,sensitive" doc:"Where messages are posted to, https:// or http://. It is kept secret as a whole."`
	Token  string `runbook:"token,optional,sensitive" doc:"Sent as Authorization: Bearer."`
	Secret string `runbook:"secret,optional,sensitive" doc:"Key that the body is signed with: the header X-Runbook-Signature is sha256= and the HMAC-SHA256 in hex."`
	CAFile string `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
}

type provider struct {
	config Config
}

// Provider serves webhook.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "webhook", Version: "0.1.0",
		Doc:       "Tells other programs something by posting JSON to an address. It uses no proxy and follows no redirect.",
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

const postDoc = "Posts a message. Each carries the key of run and step in the header Idempotency-Key, the same for every attempt, so that a receiver can drop what comes twice: where it does, say so by `keyed`, and what nobody knows the end of is sent again."

// PostArgs is what post takes.
type PostArgs struct {
	Text  string    `runbook:"text,optional" doc:"Sent as { \"text\": … }. Either this or json."`
	JSON  cty.Value `runbook:"json,optional" doc:"The body as a value. Either this or text."`
	Keyed bool      `runbook:"keyed" default:"false" doc:"Whether the receiver knows a repetition by the header Idempotency-Key and drops it."`
}

// Posted is the answer of post.
type Posted struct {
	sdk.Result
	Status  int     `runbook:"status" doc:"Status code of the answer."`
	Latency float64 `runbook:"latency_seconds" doc:"How long the answer took."`
}

// body is what is sent.
func (a PostArgs) body() ([]byte, *schema.Failure) {
	whole := a.JSON != cty.NilVal && !a.JSON.IsNull()
	switch {
	case whole && a.Text != "":
		return nil, sdk.InvalidArgument("json", "text and json are both given; one of them is sent")
	case whole:
		body, err := ctyjson.Marshal(a.JSON, a.JSON.Type())
		if err != nil {
			return nil, sdk.InvalidArgument("json", "the value cannot be sent as JSON: %v", err)
		}
		return body, nil
	case a.Text == "":
		return nil, sdk.InvalidArgument("text", "there is nothing to send: give text or json")
	}
	body, err := json.Marshal(map[string]string{"text": a.Text})
	if err != nil {
		return nil, sdk.InvalidArgument("text", "the text cannot be sent as JSON: %v", err)
	}
	return body, nil
}

// target is where messages go, without what may be secret of it.
func (p *provider) target() (*url.URL, *schema.Failure) {
	u, err := url.Parse(p.config.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, sdk.InvalidArgument("url", "the configured URL must begin with http:// or https:// and name a host")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func (p *provider) describePost(args PostArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Settling: schema.Manual, Summary: "posts a message"}
	if args.Keyed && !call.Unknown("keyed") {
		d.Settling = schema.Keyed
	}
	u, failure := p.target()
	if failure != nil {
		d.Failure = failure
		return d
	}
	d.Effects = []schema.Effect{{Resource: sdk.EffectURL(u), Mode: schema.Write}}
	d.Summary += " to " + u.Host
	data := "$BODY"
	if !call.Unknown("text") && !call.Unknown("json") {
		body, failure := args.body()
		d.Failure = failure
		data = string(body)
	}
	d.Command = []string{"curl", "-fsS", "-X", "POST", "-H", "Content-Type: application/json", "-H", "Idempotency-Key: $IDEMPOTENCY_KEY"}
	if p.config.Token != "" {
		d.Command = append(d.Command, "-H", "Authorization: $WEBHOOK_AUTHORIZATION")
	}
	d.Command = append(d.Command, "--data-raw", data, "$WEBHOOK_URL")
	return d
}

func (p *provider) post(ctx context.Context, args PostArgs, call *sdk.Call) (Posted, error) {
	body, failure := args.body()
	if failure != nil {
		return Posted{}, sdk.Clean(failure)
	}
	u, failure := p.target()
	if failure != nil {
		return Posted{}, sdk.Clean(failure)
	}
	header := nethttp.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"runbook"}, "Idempotency-Key": {call.Key()},
	}
	if p.config.Token != "" {
		header.Set("Authorization", "Bearer "+p.config.Token)
	}
	if p.config.Secret != "" {
		mac := hmac.New(sha256.New, []byte(p.config.Secret))
		mac.Write(body)
		header.Set("X-Runbook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	reply, err := exchange.Send(ctx, exchange.Message{URL: p.config.URL, Where: u.Host, Header: header, Body: body, CAFile: p.config.CAFile})
	if err != nil {
		return Posted{}, err
	}
	if reply.Status < 200 || reply.Status > 299 {
		return Posted{}, exchange.Refused(sdk.Fail("", "%s answered %d, not 2xx", u.Host, reply.Status), reply.Status, reply.Header.Get("Retry-After"), time.Now())
	}
	return Posted{
		Result: sdk.OK("posted to %s", u.Host), Status: reply.Status, Latency: reply.Took.Seconds(),
	}, nil
}
