package airflow

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// replyLimit bounds what is read of an answer.
const replyLimit = 4 << 20

// call is one request of the API.
type call struct {
	method string
	path   []string // below /api/vN
	query  url.Values
	body   any // sent as JSON; nil: nothing
	public bool
}

// statusError is an answer that turned a request away.
type statusError struct {
	status int
	detail string
	after  string // Retry-After
}

func (e *statusError) Error() string { return fmt.Sprintf("Airflow answered %d%s", e.status, e.detail) }

// do makes one request and decodes its answer into to, if not nil. A *statusError
// is Airflow's own word; every other error is typed, and says whether the request
// can have arrived.
func (p *provider) do(ctx context.Context, c call, to any) error {
	api, err := p.version(ctx)
	if err != nil {
		return err
	}
	reply, err := p.send(ctx, c, api)
	if err != nil {
		return err
	}
	var away *statusError
	if away = turnedAway(reply); away != nil && away.status == http.StatusUnauthorized && p.forget() {
		if reply, err = p.send(ctx, c, api); err != nil { // the token had run out
			return err
		}
		away = turnedAway(reply)
	}
	switch {
	case away != nil:
		return away
	case to == nil:
		return nil
	case json.Unmarshal(reply.Body, to) != nil:
		return sdk.Uncertain(p.notAirflow(reply.Status))
	}
	return nil
}

func (p *provider) send(ctx context.Context, c call, api string) (exchange.Reply, error) {
	header := http.Header{"User-Agent": {"runbook"}, "Accept": {"application/json"}}
	if !c.public {
		authorization, err := p.authorization(ctx, api)
		if err != nil {
			return exchange.Reply{}, err
		}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
	}
	return p.raw(ctx, c.method, p.base.JoinPath(append([]string{"api", api}, escaped(c.path)...)...), c.query, c.body, header)
}

// escaped keeps what an ID holds from being taken for a path.
func escaped(path []string) []string {
	all := make([]string, len(path))
	for i, part := range path {
		all[i] = url.PathEscape(part)
	}
	return all
}

func (p *provider) raw(ctx context.Context, method string, u *url.URL, query url.Values, body any, header http.Header) (exchange.Reply, error) {
	address := *u
	address.RawQuery = query.Encode()
	m := exchange.Message{Method: method, URL: address.String(), Where: p.base.Host, Header: header, CAFile: p.config.CAFile, Limit: replyLimit}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return exchange.Reply{}, sdk.Clean(sdk.InvalidArgument("conf", "it cannot be sent as JSON: %v", err))
		}
		m.Body = text
		header.Set("Content-Type", "application/json")
	}
	return exchange.Send(ctx, m)
}

// version is which API the server has. Only v2 knows its path.
func (p *provider) version(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.api != "" {
		return p.api, nil
	}
	for _, api := range []string{v2, v1} {
		reply, err := p.raw(ctx, http.MethodGet, p.base.JoinPath("api", api, "version"), nil, nil, http.Header{"User-Agent": {"runbook"}})
		if err != nil {
			return "", clean(err)
		}
		var said struct {
			Version string `json:"version"`
		}
		if reply.Status == http.StatusOK && json.Unmarshal(reply.Body, &said) == nil && said.Version != "" {
			p.api = api
			return api, nil
		}
		if reply.Status == http.StatusServiceUnavailable || reply.Status == http.StatusBadGateway || reply.Status == http.StatusGatewayTimeout {
			return "", sdk.Clean(typed(turnedAway(reply), "", ""))
		}
		if api == v1 {
			return "", sdk.Clean(p.notAirflow(reply.Status))
		}
	}
	return "", nil
}

// authorization is the header that vouches for the user; empty: there is none.
func (p *provider) authorization(ctx context.Context, api string) (string, error) {
	switch c := p.config; {
	case c.Token != "":
		return "Bearer " + c.Token, nil
	case c.Username == "" && c.Password == "":
		return "", nil
	case api == v1:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == "" {
		body := map[string]string{"username": p.config.Username, "password": p.config.Password}
		reply, err := p.raw(ctx, http.MethodPost, p.base.JoinPath("auth", "token"), nil, body, http.Header{"User-Agent": {"runbook"}})
		if err != nil {
			return "", clean(err)
		}
		if away := turnedAway(reply); away != nil {
			return "", sdk.Clean(typed(away, "", ""))
		}
		var said struct {
			Token string `json:"access_token"`
		}
		if json.Unmarshal(reply.Body, &said) != nil || said.Token == "" {
			return "", sdk.Clean(p.notAirflow(reply.Status))
		}
		p.token = said.Token
	}
	return "Bearer " + p.token, nil
}

// forget drops a token that was got for user and password; false: there is none.
func (p *provider) forget() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	had := p.token != ""
	p.token = ""
	return had
}

// clean is an error of what changes nothing.
func clean(err error) error {
	var failure *schema.Failure
	if errors.As(err, &failure) {
		return sdk.Clean(failure)
	}
	return err
}

// turnedAway is what an answer says against a request; nil: nothing.
func turnedAway(reply exchange.Reply) *statusError {
	if reply.Status >= 200 && reply.Status <= 299 {
		return nil
	}
	e := &statusError{status: reply.Status, after: reply.Header.Get("Retry-After")}
	var said struct {
		Title  string          `json:"title"`
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(reply.Body, &said) == nil {
		text := said.Title
		var detail string
		if json.Unmarshal(said.Detail, &detail) == nil && detail != "" {
			text = detail
		} else if len(said.Detail) > 0 && said.Detail[0] == '[' {
			text = string(said.Detail)
		}
		if short := []rune(strings.Join(strings.Fields(text), " ")); len(short) > 0 {
			e.detail = ": " + string(short[:min(len(short), 300)])
		}
	}
	return e
}

// typed is the failure that an answer stands for. What a request names is the
// argument that is to blame where it is not there.
func typed(e *statusError, argument, what string) *schema.Failure {
	f := sdk.Fail("", "%s", e.Error())
	f.Code, f.Remedy = exchange.TurnedAway(e.status)
	switch e.status {
	case http.StatusUnauthorized:
		f.Remedy = "correct username and password, or the token"
	case http.StatusForbidden:
		f.Remedy = "give this user the permission in Airflow, or use another"
	case http.StatusNotFound:
		if argument != "" {
			f.Message, f.Argument, f.Remedy = "there is no "+what, argument, "correct "+argument+"; airflow.dags lists the DAGs"
		}
	}
	f.Retryable = e.status == http.StatusTooManyRequests || e.status == http.StatusServiceUnavailable
	f.RetryAfterSeconds = exchange.RetryAfter(e.after, time.Now()).Seconds()
	return f
}

// looked is an error of a request that only looks.
func looked(err error, argument, what string) error {
	var away *statusError
	if errors.As(err, &away) {
		return sdk.Clean(typed(away, argument, what))
	}
	return clean(err)
}

// acted is an error of a request that may have changed something.
func acted(err error, argument, what string) error {
	var away *statusError
	if !errors.As(err, &away) {
		return err
	}
	f := typed(away, argument, what)
	switch {
	case away.status == http.StatusBadGateway || away.status == http.StatusGatewayTimeout:
		return sdk.Uncertain(f)
	case away.status >= 500 && away.status != http.StatusServiceUnavailable:
		return f
	}
	return sdk.Clean(f)
}

func (p *provider) notAirflow(status int) *schema.Failure {
	f := sdk.Fail("not_airflow", "%s answered %d, and not as Airflow does", p.base.Host, status)
	f.Remedy = "correct url: it is what comes before /api"
	return f
}
