package mlflow

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// workers is how many artifacts are compared, or uploaded, side by side.
const workers = 4

// answerLimit bounds a JSON answer.
const answerLimit = 64 << 20

// client talks to the server during one call.
type client struct {
	*provider
	http *http.Client
}

// open makes a client; the caller closes it. No request is repeated by itself,
// and no redirect followed.
func (p *provider) open(ctx context.Context) (*client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.config.CAFile != "" {
		roots, err := exchange.Roots(sdk.Path(ctx, p.config.CAFile))
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	transport := &http.Transport{
		TLSClientConfig: config, TLSHandshakeTimeout: p.config.ConnectTimeout, MaxIdleConnsPerHost: workers, DisableCompression: true,
		DialContext: reach.Dialer(p.config.ConnectTimeout, p.config.AnswerTimeout),
	}
	return &client{p, &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// use opens a client and does some work; its errors are typed failures.
func (p *provider) use(ctx context.Context, work func(*client) error) error {
	c, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	return c.failure(ctx, work(c))
}

// send makes a request below the server's address. The caller closes the body.
func (c *client) send(ctx context.Context, method, path string, query url.Values, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.uri.String()+path, body)
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = query.Encode()
	req.ContentLength = size
	switch {
	case c.config.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.config.Token)
	case c.config.Username != "":
		req.SetBasicAuth(c.config.Username, c.config.Password)
	}
	if method == http.MethodPost || method == http.MethodDelete {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(req)
}

// get asks the REST API.
func (c *client) get(ctx context.Context, path string, query url.Values, answer any) error {
	return c.call(ctx, http.MethodGet, "/api/2.0/mlflow/"+path, query, nil, answer)
}

// post asks the REST API with a JSON body.
func (c *client) post(ctx context.Context, path string, content, answer any) error {
	return c.call(ctx, http.MethodPost, "/api/2.0/mlflow/"+path, nil, content, answer)
}

// call decodes the answer into answer, unless that is nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, content, answer any) error {
	var body []byte
	if content != nil {
		var err error
		if body, err = json.Marshal(content); err != nil {
			return err
		}
	}
	response, err := c.send(ctx, method, path, query, bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return c.refused(ctx, response, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return c.notMLflow()
	}
	return nil
}

// escaped is a path with each of its segments escaped.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
