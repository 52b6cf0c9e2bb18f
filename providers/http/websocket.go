package http

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const websocketDoc = `Opens a WebSocket, pings the server, and waits for the first message where one is asked for. Ok where the server takes the connection,
answers the ping, and the message comes in time and matches. Nothing is sent but the handshake and the ping. What does not answer is not ok; it is no error.`

// WebSocketArgs is what websocket takes.
type WebSocketArgs struct {
	URL            string            `runbook:"url" doc:"Address, such as wss://stream.example.com/ws; no user name or password in it."`
	Query          map[string]string `runbook:"query,optional" doc:"Query parameters, added to those of the URL."`
	Headers        map[string]string `runbook:"headers,optional" doc:"Headers of the handshake."`
	Username       string            `runbook:"username,optional" doc:"User name for basic authentication."`
	Password       string            `runbook:"password,optional,sensitive" doc:"Password for basic authentication."`
	Subprotocols   []string          `runbook:"subprotocols,optional" doc:"Subprotocols to offer; the server has to take one of them."`
	Message        bool              `runbook:"message" default:"false" doc:"Whether to wait for the server's first message."`
	MessagePattern string            `runbook:"message_pattern,optional" doc:"Regular expression (RE2) that the first message must match; it is then waited for."`
}

// Opened is the answer of websocket.
type Opened struct {
	sdk.Result
	Reason      string    `runbook:"reason" doc:"Why it is not ok, such as connection_refused, timeout, connection_lost, authentication_failed, no_subprotocol or no_match; empty where it is."`
	Status      *int      `runbook:"status" doc:"Status code of the handshake; 101 where the server took the connection, null where nothing answered."`
	Latency     float64   `runbook:"latency_seconds" doc:"How long it took to connect and shake hands, or to fail."`
	Ping        *float64  `runbook:"ping_seconds" doc:"How long the answer to the ping took; null where none came."`
	Subprotocol string    `runbook:"subprotocol" doc:"Subprotocol agreed on; empty where none was."`
	Body        *string   `runbook:"message" doc:"The first message; null where none was waited for or came. Base64 where it is no text."`
	JSON        cty.Value `runbook:"json" doc:"The first message's content where it is JSON; else null."`
}

// target is the handshake's request as get would send it.
func (a WebSocketArgs) target() (Target, *schema.Failure) {
	scheme, rest, _ := strings.Cut(a.URL, "://")
	plain, known := map[string]string{"ws": "http", "wss": "https"}[scheme]
	if !known {
		return Target{}, sdk.InvalidArgument("url", "the URL must begin with ws:// or wss:// and name a host")
	}
	return Target{URL: plain + "://" + rest, Query: a.Query, Headers: a.Headers, Username: a.Username, Password: a.Password}, nil
}

func (p *provider) websocket(ctx context.Context, args WebSocketArgs, _ *sdk.Call) (Opened, error) {
	pattern, err := regexp.Compile(args.MessagePattern)
	if err != nil {
		return Opened{}, sdk.InvalidArgument("message_pattern", "the pattern cannot be read: %v", err)
	}
	target, failure := args.target()
	if failure != nil {
		return Opened{}, failure
	}
	bounded, stop := reach.Early(ctx)
	defer stop()
	req, failure := p.newRequest(bounded, "GET", target, nil)
	if failure != nil {
		return Opened{}, failure
	}
	client, done, err := p.client()
	if err != nil {
		return Opened{}, err
	}
	defer done()
	client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }

	var o Opened
	began := time.Now()
	conn, response, err := websocket.Dial(bounded, req.URL.String(), &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: req.Header, Host: req.Host, Subprotocols: args.Subprotocols,
	})
	o.Latency = time.Since(began).Seconds()
	if response != nil {
		o.Status = &response.StatusCode
	}
	if err == nil {
		conn.SetReadLimit(bodyLimit)
		err = o.speak(bounded, conn, args)
		_ = conn.CloseNow() // nothing more is owed to the server
	}
	if err != nil && ctx.Err() == context.Canceled {
		return Opened{}, sdk.Fail("cancelled", "cancelled while asking %s", exchange.Place(req.URL))
	}
	o.judge(bounded, req.URL, args, pattern, err)
	return o, nil
}

// speak pings the server and waits for the first message where it is wanted.
func (o *Opened) speak(ctx context.Context, conn *websocket.Conn, args WebSocketArgs) error {
	o.Subprotocol = conn.Subprotocol()
	reading, stop := context.WithCancel(ctx)
	first, ended := make(chan []byte, 1), make(chan error, 1)
	go func() { // whoever reads messages also reads the answer to the ping
		for {
			_, text, err := conn.Read(reading)
			if err != nil {
				ended <- err
				return
			}
			select {
			case first <- text:
			default:
			}
		}
	}()
	began := time.Now()
	err := conn.Ping(ctx)
	if err != nil {
		stop()
		if why := <-ended; websocket.CloseStatus(why) >= 0 {
			return why
		}
		return err
	}
	took := time.Since(began).Seconds()
	o.Ping = &took
	if args.Message || args.MessagePattern != "" {
		select {
		case text := <-first:
			message := legible(text)
			o.Body, o.JSON = &message, decoded(text)
		case err := <-ended:
			stop()
			return err
		}
	}
	stop()
	<-ended
	return nil
}

func (o *Opened) judge(ctx context.Context, u *url.URL, args WebSocketArgs, pattern *regexp.Regexp, err error) {
	where := exchange.Place(u)
	took := time.Duration(o.Latency * float64(time.Second)).Round(time.Millisecond)
	var closed websocket.CloseError
	switch {
	case o.Status != nil && *o.Status != nethttp.StatusSwitchingProtocols:
		o.Reason, _ = exchange.TurnedAway(*o.Status)
		o.Result = sdk.NotOK("%s answered %d in %s and does not speak WebSocket", where, *o.Status, took)
	case err != nil && errors.As(err, &closed):
		o.Reason = "connection_lost"
		o.Result = sdk.NotOK("%s closed the WebSocket: %d %s", where, closed.Code, closed.Reason)
	case err != nil:
		o.Reason = exchange.Reason(ctx, err)
		what := "does not answer"
		switch {
		case o.Ping != nil:
			what = "sent no message"
		case o.Status != nil:
			what = "does not answer the ping"
		}
		o.Result = sdk.NotOK("%s %s: %s", where, what, exchange.Why(ctx, err))
	case len(args.Subprotocols) > 0 && o.Subprotocol == "":
		o.Reason = "no_subprotocol"
		o.Result = sdk.NotOK("%s takes none of the subprotocols %s", where, strings.Join(args.Subprotocols, ", "))
	case args.MessagePattern != "" && !pattern.MatchString(*o.Body):
		o.Reason = "no_match"
		o.Result = sdk.NotOK("the first message of %s does not match %s", where, args.MessagePattern)
	default:
		o.Result = sdk.OK("%s took the connection in %s and answered the ping%s", where, took, also(o.Body))
	}
}

func also(message *string) string {
	if message == nil {
		return ""
	}
	return fmt.Sprintf("; its first message has %d bytes", len(*message))
}
