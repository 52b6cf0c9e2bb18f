package email_test

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/email"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(email.Provider)
	os.Exit(m.Run())
}

func (s *sink) config(tls string, more map[string]any) map[string]any {
	c := map[string]any{"host": "127.0.0.1", "port": s.port, "tls": tls, "from": "Runbook <runbook@example.com>", "ca_file": s.caFile, "username": "ana", "password": "mail-secret"}
	maps.Copy(c, more)
	return c
}

var fresh = map[string]any{"to": []string{"Ana <ana@example.com>", "ben@example.com"}, "subject": "Fresh again", "text": "All is well.\n"}

func TestProof(t *testing.T) {
	s := newSink(t, "starttls", true)
	to := func(address string) map[string]any {
		args := maps.Clone(fresh)
		args["to"] = []string{address}
		return args
	}
	sdktest.Prove(t, sdktest.Proof{
		Provider: email.Provider,
		Config:   s.config("starttls", nil),
		Secrets:  []string{"wrong-secret"},
		World:    func(testing.TB) any { return s.world() },
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"port": backendtest.Refused(t)}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"port": backendtest.Blackhole(t)}, Code: "timeout", Patience: 400 * time.Millisecond},
			{Name: "wrong password", Config: map[string]any{"password": "wrong-secret"}, Code: "authentication_failed"},
			{Name: "untrusted", Config: map[string]any{"ca_file": ""}, Code: "tls_failed"},
			{Name: "no encryption", Config: map[string]any{"port": newSink(t, "none", true).port}, Code: "no_starttls"},
		},
		Actions: []sdktest.ActionProof{{Name: "send", Args: fresh, Class: schema.Manual, Refused: []sdktest.Refused{
			{Args: to("nobody@example.com"), Code: "not_accepted"},
			{Args: to("ana@example.com\r\nBcc: eve@example.com"), Code: "invalid_argument"},
			{Args: map[string]any{"to": []string{}, "subject": "x", "text": "x"}, Code: "invalid_argument"},
			{Args: map[string]any{"to": []string{"a@example.com"}, "subject": "x\nBcc: eve@example.com", "text": "x"}, Code: "invalid_argument"},
		}}},
	})
}

// What arrives is what was said, whatever is in it, however the line is encrypted.
func TestMailArrives(t *testing.T) {
	for _, encryption := range []string{"starttls", "tls", "none"} {
		t.Run(encryption, func(t *testing.T) {
			s := newSink(t, encryption, true)
			h := sdktest.New(t, email.Provider(), s.config(encryption, nil))
			o := h.Act("send", map[string]any{
				"to": []string{"Ana <ana@example.com>"}, "cc": []string{"ana@example.com", "ben@example.com"}, "reply_to": "desk@example.com",
				"subject": "Läuft wieder → gut", "text": ".\nA line that begins with a dot, and äöü.\n.\n",
			}, sdktest.Key("run 1/step.x"))
			if o.State != schema.Done {
				t.Fatal(o.Failure)
			}
			got := sdktest.Go(t, o.Result).(map[string]any)
			if got["message_id"] != "run-1-step.x@example.com" {
				t.Error(got)
			}
			arrived := s.world()
			if len(arrived) != 1 {
				t.Fatalf("%q", arrived)
			}
			envelope, text, _ := strings.Cut(arrived[0], "\n")
			if envelope != "runbook@example.com → ana@example.com, ben@example.com" {
				t.Error(envelope)
			}
			m, err := mail.ReadMessage(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil {
				t.Fatal(err)
			}
			heads := []string{subject, m.Header.Get("Message-ID"), m.Header.Get("Reply-To"), m.Header.Get("To"), m.Header.Get("Cc"), m.Header.Get("From"), body(t, m)}
			want := []string{
				"Läuft wieder → gut", "<run-1-step.x@example.com>", "<desk@example.com>", `"Ana" <ana@example.com>`, "<ana@example.com>, <ben@example.com>",
				`"Runbook" <runbook@example.com>`, ".\nA line that begins with a dot, and äöü.\n.\n\n",
			}
			if diff := cmp.Diff(want, heads); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What the server says to the text is believed; where it says nothing, nobody knows.
func TestWordsOfTheServer(t *testing.T) {
	where := func(s *sink) string { return fmt.Sprintf("127.0.0.1:%d", s.port) }
	s := newSink(t, "none", false)
	config := s.config("none", map[string]any{"username": "", "password": ""})
	h := sdktest.New(t, email.Provider(), config)
	s.fails = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	o := h.Act("send", fresh)
	want := &schema.Failure{Code: "unavailable", Message: where(s) + " refused it: SMTP error 451: try later", Remedy: "wait: the server takes no mail for now", Retryable: true}
	if diff := cmp.Diff(want, o.Failure); diff != "" || o.State != schema.FailedClean {
		t.Error(o.State, diff)
	}

	s.fails = nil
	port := backendtest.Proxy(t, where(s), backendtest.Cut{When: "all is well", Forward: true})
	config["port"] = port
	o = sdktest.New(t, email.Provider(), config).Act("send", fresh)
	if o.State != schema.Unknown || len(s.world()) != 1 {
		t.Errorf("the answer was swallowed: %s %v, %d arrived", o.State, o.Failure, len(s.world()))
	}
}

func TestConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		more map[string]any
		want string
	}{
		"a password in the clear":  {map[string]any{"host": "mail.example.com", "tls": "none"}, "in the clear"},
		"half a login":             {map[string]any{"password": ""}, "together"},
		"no kind of encryption":    {map[string]any{"tls": "ssl"}, "none of starttls"},
		"a sender that is no mail": {map[string]any{"from": "me"}, "no mail address"},
	} {
		config := (&sink{port: 25}).config("starttls", test.more)
		if _, err := sdktest.Try(t, email.Provider(), config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func body(t *testing.T, m *mail.Message) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
