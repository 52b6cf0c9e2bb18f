package sdk_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/sdk"
)

func TestEffectHost(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	own = strings.ToLower(own)
	want := map[string]string{
		"localhost":           own,
		"":                    own,
		"127.0.0.1":           own,
		"127.8.8.8":           own,
		"::1":                 own,
		"[::1]":               own,
		"0.0.0.0":             own,
		"/var/run/postgresql": own,
		"LOCALHOST.":          own,
		"DB.example.com":      "db.example.com",
		"db.example.com.":     "db.example.com",
		"10.0.0.7":            "10.0.0.7",
		"2001:db8::7":         "2001:db8::7",
		"localhost.example":   "localhost.example",
	}
	got := map[string]string{}
	for host := range want {
		got[host] = sdk.EffectHost(host)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
