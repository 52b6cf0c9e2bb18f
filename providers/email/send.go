package email

import (
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const sendDoc = "Sends one mail. Where a recipient is refused, nobody gets it. Done is that the server has taken it, which is not that it has arrived. Where the line breaks after the text was sent nobody knows, and a person has to say; the Message-ID of all attempts is the same, so that a reader's program shows one."

// SendArgs is what send takes.
type SendArgs struct {
	To      []string `runbook:"to" doc:"Recipients, such as ana@example.com or \"Ana <ana@example.com>\"."`
	Cc      []string `runbook:"cc,optional" doc:"More recipients."`
	ReplyTo string   `runbook:"reply_to,optional" doc:"Where answers go; without it to the sender."`
	Subject string   `runbook:"subject" doc:"Subject, one line."`
	Text    string   `runbook:"text" doc:"Plain text."`
}

// Sent is the answer of send.
type Sent struct {
	sdk.Result
	MessageID  string   `runbook:"message_id" doc:"The message's Message-ID, without its brackets."`
	Recipients []string `runbook:"recipients" doc:"Who the server has taken it for."`
	Reply      string   `runbook:"reply" doc:"What the server said as it took it, such as its queue's ID."`
}

// letter reads the arguments as far as they are known.
func (p *provider) letter(args SendArgs, call *sdk.Call) (*letter, *schema.Failure) {
	l := &letter{subject: args.Subject, text: args.Text, key: messageKey(call.Key()), date: time.Now()}
	var failure *schema.Failure
	if l.from, failure = address("from", p.config.From); failure != nil {
		return nil, failure
	}
	for argument, lists := range map[string]struct {
		said []string
		into *[]*mail.Address
	}{"to": {args.To, &l.to}, "cc": {args.Cc, &l.cc}} {
		for _, said := range lists.said {
			a, failure := address(argument, said)
			if failure != nil {
				return nil, failure
			}
			*lists.into = append(*lists.into, a)
		}
	}
	if args.ReplyTo != "" {
		if l.replyTo, failure = address("reply_to", args.ReplyTo); failure != nil {
			return nil, failure
		}
	}
	switch {
	case len(args.To) == 0 && !call.Unknown("to"):
		return nil, sdk.InvalidArgument("to", "it is for nobody")
	case strings.ContainsFunc(args.Subject, unicode.IsControl):
		return nil, sdk.InvalidArgument("subject", "a subject is one line")
	case strings.TrimSpace(args.Subject) == "" && !call.Unknown("subject"):
		return nil, sdk.InvalidArgument("subject", "it is empty")
	}
	return l, nil
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// messageKey is a key as a Message-ID may hold it.
func messageKey(key string) string { return strings.Trim(notInID.ReplaceAllString(key, "-"), ".-") }

// server is the mail server as a URL.
func (p *provider) server() *url.URL {
	scheme := "smtp"
	if p.config.TLS == directTLS {
		scheme = "smtps"
	}
	return &url.URL{Scheme: scheme, Host: fmt.Sprintf("%s:%d", p.config.Host, p.config.Port)}
}

func (p *provider) describeSend(args SendArgs, call *sdk.Call) sdk.Description {
	u := p.server()
	d := sdk.Description{
		Settling: schema.Manual, Summary: "sends a mail by " + u.Host,
		Effects: []schema.Effect{{Resource: sdk.EffectURL(u), Mode: schema.Write}},
	}
	l, failure := p.letter(args, call)
	if failure != nil {
		d.Failure = failure
		return d
	}
	d.Command = []string{"curl", "-fsS", "--url", u.String()}
	if p.config.TLS == startTLS {
		d.Command = append(d.Command, "--ssl-reqd")
	}
	if p.config.Username != "" {
		d.Command = append(d.Command, "-u", p.config.Username+":$SMTP_PASSWORD")
	}
	d.Command = append(d.Command, "--mail-from", l.from.Address)
	recipients := l.recipients()
	if call.Unknown("to") || call.Unknown("cc") {
		recipients = []string{"$RECIPIENT"}
	} else {
		d.Summary += " to " + strings.Join(recipients, ", ")
	}
	for _, to := range recipients {
		d.Command = append(d.Command, "--mail-rcpt", to)
	}
	d.Command = append(d.Command, "-T", "$MESSAGE_FILE")
	return d
}

func (p *provider) send(ctx context.Context, args SendArgs, call *sdk.Call) (Sent, error) {
	l, failure := p.letter(args, call)
	if failure != nil {
		return Sent{}, sdk.Clean(failure)
	}
	reply, err := p.deliver(ctx, l)
	if err != nil {
		return Sent{}, err
	}
	_, domain, _ := strings.Cut(l.from.Address, "@")
	to := l.recipients()
	return Sent{
		Result: sdk.OK("%s took it for %s", p.server().Host, strings.Join(to, ", ")), MessageID: l.key + "@" + domain, Recipients: to, Reply: reply,
	}, nil
}
