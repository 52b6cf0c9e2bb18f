package docker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key, cert}
}

// folder holds ca.pem, and cert.pem and key.pem that the authority has signed.
func (a authority) folder(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: a.cert.Raw}, "cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// behindTLS is the test's engine behind a door that wants certificates of a.
func (a authority) behindTLS(t testing.TB) string {
	t.Helper()
	own := a.folder(t)
	pair, err := tls.LoadX509KeyPair(filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AddCert(a.cert)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", engine.Socket)
	}}
	server := httptest.NewUnstartedServer(proxy)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: known, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return "tcp://" + strings.TrimPrefix(server.URL, "https://")
}

func TestEngineThatSpeaksTLS(t *testing.T) {
	l := newLab(t, services)
	name := l.plain(t, create(), "wait")
	right, wrong := newAuthority(t), newAuthority(t)
	host, trusted := right.behindTLS(t), right.folder(t)
	with := func(host, folder string) *sdktest.Harness {
		return sdktest.New(t, docker.Provider(), map[string]any{"host": host, "tls_folder": folder, "config_folder": engine.Config, "project": l.project, "project_dir": l.dir})
	}
	h := with(host, trusted)
	if seen := done(t, h.Probe("container", map[string]any{"container": name})); seen["ok"] != true {
		t.Errorf("behind TLS it sees %v", seen)
	}
	said := done(t, h.Act("exec", map[string]any{"container": name, "argv": []string{"/standin", "echo"}, "stdin": "through TLS"}))
	if said["stdout"] != "through TLS" {
		t.Errorf("exec says %v", said)
	}
	done(t, h.Act("compose_up", quick(map[string]any{"services": []string{"worker"}}))) // compose takes the certificates too

	for what, folder := range map[string]string{"without certificates": "", "of another authority": wrong.folder(t)} {
		f := failed(t, with(host, folder).Probe("container", map[string]any{"container": name}), schema.FailedClean, "tls_failed")
		if f.Remedy == "" {
			t.Errorf("%s: no remedy", what)
		}
	}
	failed(t, with(host, t.TempDir()).Probe("disk_usage", nil), schema.FailedClean, "invalid_argument")
}

// The later file comes over the earlier, and what a profile brings is there only
// with it.
func TestFilesAndProfiles(t *testing.T) {
	l := newLab(t, services+"  extra:\n    image: IMAGE\n    command: [wait]\n    network_mode: none\n    profiles: [more]\n")
	over := "services:\n  worker:\n    image: " + l.image + "\n    scale: 2\n"
	if err := os.WriteFile(filepath.Join(l.dir, "over.yaml"), []byte(over), 0o600); err != nil {
		t.Fatal(err)
	}
	both := config(l.project, l.dir)
	both["files"], both["profiles"] = []string{"compose.yaml", "over.yaml"}, []string{"more"}
	h := sdktest.New(t, docker.Provider(), both)
	up := quick(map[string]any{"services": []string{"worker", "extra"}})
	if impact := h.Preview("compose_up", up).Impact; impact["containers"] != 3 {
		t.Errorf("it foretells %v", impact)
	}
	if result := done(t, h.Act("compose_up", up)); result["containers"] != 3 {
		t.Errorf("it changed %v", result)
	}
	failed(t, l.Act("compose_up", up), schema.FailedClean, "service_missing")
}
