package minio

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/runbook-engine/runbook/providers/internal/exchange"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// server is one site, open for one call: every look is a look at the server as
// it is now. No request is repeated by itself.
type server struct {
	site   Site
	alias  string // as mc calls it
	host   string // with the port, as people write it
	core   *minio.Core
	plain  *http.Client
	config Config
	close  func()
}

// open opens the provider's server, or a site of its configuration. The caller
// closes it.
func (p *provider) open(ctx context.Context, site string) (*server, error) {
	s := &server{site: p.config.Site, alias: p.config.Alias, config: p.config}
	if site != "" {
		s.site, s.alias = p.config.other(site), site
	}
	u, err := url.Parse(s.site.Endpoint)
	if err != nil {
		return nil, err
	}
	s.host = u.Host
	transport, err := p.transport(ctx)
	if err != nil {
		return nil, err
	}
	s.close = transport.CloseIdleConnections
	s.plain = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.core, err = minio.NewCore(u.Host, &minio.Options{
		Creds: s.site.credentials(), Secure: u.Scheme == "https", Transport: transport,
		Region: s.site.Region, MaxRetries: 1,
	})
	if err != nil {
		return nil, sdk.InvalidArgument("endpoint", "the endpoint cannot be used: %v", err)
	}
	return s, nil
}

func (s Site) credentials() *credentials.Credentials {
	if s.AccessKey == "" {
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	return credentials.NewStaticV4(s.AccessKey, s.SecretKey, s.SessionToken)
}

// transport uses no proxy of the environment.
func (p *provider) transport(ctx context.Context) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.config.CAFile != "" {
		roots, err := exchange.Roots(sdk.Path(ctx, p.config.CAFile))
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	return &http.Transport{
		TLSClientConfig: config, TLSHandshakeTimeout: p.config.ConnectTimeout,
		MaxIdleConnsPerHost: workers, DisableCompression: true,
		DialContext: reach.Dialer(p.config.ConnectTimeout, p.config.AnswerTimeout),
	}, nil
}

// use opens the provider's own server and does some work; its errors are typed
// failures.
func (p *provider) use(ctx context.Context, work func(*server) error) error {
	s, err := p.open(ctx, "")
	if err != nil {
		return err
	}
	defer s.close()
	return s.failure(ctx, work(s))
}

// ask makes a request without a signature.
func (s *server) ask(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.site.Endpoint, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	return s.plain.Do(req)
}
