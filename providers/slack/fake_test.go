package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// fakeSlack stands for Slack, which cannot be had on a test's machine: it answers
// as the documentation of incoming webhooks and of chat.postMessage says.
type fakeSlack struct {
	mu     sync.Mutex
	posted []string
	answer http.HandlerFunc // instead of all else, where it is set
	url    string
}

func newFakeSlack(t *testing.T) *fakeSlack {
	f := &fakeSlack{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fakeSlack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer != nil {
		f.answer(w, r)
		return
	}
	var said struct {
		Text, Channel string
		ThreadTS      string `json:"thread_ts"`
		Blocks        []any
	}
	err := json.NewDecoder(r.Body).Decode(&said)
	if r.URL.Path == "/api/chat.postMessage" {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Authorization") != "Bearer xoxb-secret":
			fmt.Fprint(w, `{"ok":false,"error":"invalid_auth"}`)
		case said.Channel == "#nowhere":
			fmt.Fprint(w, `{"ok":false,"error":"channel_not_found"}`)
		case said.Channel == "#private":
			fmt.Fprint(w, `{"ok":false,"error":"not_in_channel"}`)
		case err != nil || said.Text == "" && said.Blocks == nil:
			fmt.Fprint(w, `{"ok":false,"error":"no_text"}`)
		default:
			f.posted = append(f.posted, fmt.Sprintf("%s %s%s (%d blocks)", said.Channel, said.ThreadTS, said.Text, len(said.Blocks)))
			fmt.Fprintf(w, `{"ok":true,"channel":"C1","ts":"1700000000.%06d"}`, len(f.posted))
		}
		return
	}
	switch {
	case r.URL.Path != "/services/T1/B1/hook-secret":
		http.Error(w, "no_service", http.StatusNotFound)
	case err != nil || said.Text == "":
		http.Error(w, "invalid_payload", http.StatusBadRequest)
	default:
		f.posted = append(f.posted, said.Text)
		fmt.Fprint(w, "ok")
	}
}
