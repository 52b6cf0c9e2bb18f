package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// How long the server is waited for, also where nobody set a deadline: until it is
// ready to take the text, and until it has taken it.
const (
	patience = 30 * time.Second
	taking   = time.Minute
)

// deliver hands a letter to the server and returns what that said. Until the end
// of the text is sent, whatever fails is clean.
func (p *provider) deliver(ctx context.Context, l *letter) (string, error) {
	where := p.server().Host
	cancelled := ctx
	ctx, cancel := context.WithTimeout(cancelled, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", where)
	if err != nil {
		return "", sdk.Clean(unanswered(ctx, where, err))
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // nothing waits for an answer any more
	defer func() { stop() }()
	client, err := p.greet(conn)
	if err == nil {
		err = p.login(client)
	}
	if err != nil {
		return "", sdk.Clean(refused(ctx, where, err, p.config.Username))
	}
	if err := client.Mail(l.from.Address, nil); err != nil {
		return "", sdk.Clean(refused(ctx, where, fmt.Errorf("the sender %s: %w", l.from.Address, err), ""))
	}
	for _, to := range l.recipients() {
		if err := client.Rcpt(to, nil); err != nil {
			return "", sdk.Clean(refused(ctx, where, fmt.Errorf("the recipient %s: %w", to, err), ""))
		}
	}
	text, err := client.Data()
	if err != nil {
		return "", sdk.Clean(refused(ctx, where, err, ""))
	}
	stop()
	ctx, cancel = context.WithTimeout(cancelled, taking)
	defer cancel()
	stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if _, err := text.Write(l.bytes()); err != nil {
		return "", sdk.Clean(refused(ctx, where, err, "")) // without its end the server keeps nothing
	}
	said, err := text.CloseWithResponse()
	var word *smtp.SMTPError
	switch {
	case errors.As(err, &word): // it had the whole text, and says that it does not keep it
		return "", sdk.Clean(refused(ctx, where, err, ""))
	case err != nil:
		return "", sdk.Uncertain(refused(ctx, where, err, ""))
	}
	_ = client.Quit() // it has taken it, whatever it says now
	return said.StatusText, nil
}

// greet is the beginning of the conversation, encrypted as it should be.
func (p *provider) greet(conn net.Conn) (*smtp.Client, error) {
	roots, err := exchange.Roots(p.config.CAFile)
	if err != nil {
		return nil, err
	}
	encrypted := &tls.Config{ServerName: p.config.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	var client *smtp.Client
	switch p.config.TLS {
	case directTLS:
		client = smtp.NewClient(tls.Client(conn, encrypted))
	case startTLS:
		if client, err = smtp.NewClientStartTLS(conn, encrypted); err != nil {
			return nil, err
		}
	default:
		client = smtp.NewClient(conn)
	}
	own, err := os.Hostname()
	if err != nil || own == "" {
		own = "localhost"
	}
	return client, client.Hello(own)
}

// errNoAuth means that the server takes no password, by none of the ways known here.
var errNoAuth = errors.New("the server takes no login here: it offers neither PLAIN nor LOGIN")

func (p *provider) login(client *smtp.Client) error {
	if p.config.Username == "" {
		return nil
	}
	switch {
	case client.SupportsAuth(sasl.Plain):
		return client.Auth(sasl.NewPlainClient("", p.config.Username, p.config.Password))
	case client.SupportsAuth(sasl.Login):
		return client.Auth(sasl.NewLoginClient(p.config.Username, p.config.Password))
	}
	return errNoAuth
}

func unanswered(ctx context.Context, where string, err error) *schema.Failure {
	f := exchange.Unanswered(ctx, where, err)
	f.Retryable = f.Code != "cancelled" && f.Code != "tls_failed"
	if f.Code == "timeout" {
		f.Remedy = "see whether a firewall drops the packets, and whether the server speaks TLS there from the first byte (tls)"
	}
	return f
}

// refused types what went wrong once the server was reached. SMTP says by the
// first digit whether another try may help.
func refused(ctx context.Context, where string, err error, user string) *schema.Failure {
	var word *smtp.SMTPError
	var given *schema.Failure
	switch {
	case errors.As(err, &given):
		return given
	case errors.Is(err, errNoAuth):
		return &schema.Failure{Code: "authentication_failed", Message: where + ": " + err.Error(), Remedy: "leave username and password out, or encrypt the connection (tls)"}
	case strings.Contains(err.Error(), "doesn't support STARTTLS"): // the library has no type for it
		return &schema.Failure{Code: "no_starttls", Message: where + " does not offer STARTTLS", Remedy: "set tls to \"tls\" where it speaks TLS from the first byte, or to \"none\" for a relay on this machine"}
	case !errors.As(err, &word):
		return unanswered(ctx, where, err)
	}
	f := sdk.Fail("refused", "%s refused it: %s", where, strings.Join(strings.Fields(err.Error()), " "))
	f.Remedy = "see the server's answer and its log"
	f.Retryable = word.Code >= 400 && word.Code < 500
	switch {
	case user != "" && (word.Code == 535 || word.Code == 534 || word.Code == 530 || word.Code == 454):
		f.Code, f.Message, f.Remedy = "authentication_failed", fmt.Sprintf("%s does not let %s in: %d %s", where, user, word.Code, strings.Join(strings.Fields(word.Message), " ")), "correct username and password"
	case word.Code == 530:
		f.Code, f.Remedy = "authentication_failed", "give username and password"
	case word.Code == 550 || word.Code == 551 || word.Code == 553 || word.Code == 554:
		f.Code, f.Remedy = "not_accepted", "correct the address, or let this sender send to it"
	case word.Code == 552:
		f.Code, f.Remedy = "request_too_large", "send less"
	case f.Retryable:
		f.Code, f.Remedy = "unavailable", "wait: the server takes no mail for now"
	}
	return f
}
