package sdk_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func TestEffectURL(t *testing.T) {
	own := sdk.EffectHost("")
	for given, want := range map[string]string{
		"https://API.example.com:443/jobs?token=x#top": "https://api.example.com/jobs",
		"http://ann:pw@localhost:80":                   "http://" + own,
		"http://localhost:8080/a b":                    "http://" + own + ":8080/a%20b",
		"http://[2001:db8::7]:8080/x":                  "http://[2001:db8::7]:8080/x",
		"redis://127.0.0.1:6379/0":                     "redis://" + own + ":6379/0",
	} {
		u, err := url.Parse(given)
		if err != nil {
			t.Fatal(err)
		}
		if got := sdk.EffectURL(u); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestDeclaredEffects(t *testing.T) {
	type answer struct {
		Effects     []schema.Effect
		Destructive bool
		Message     string
	}
	own := sdk.EffectHost("")
	for name, test := range map[string]struct {
		declared []sdk.DeclaredEffect
		want     answer
	}{
		"none": {},
		"named as providers name them": {
			[]sdk.DeclaredEffect{{"redis://localhost:6379/0", "write"}, {"file:///backups", "read"}, {"s3://MinIO:9000/b?versions", "delete"}},
			answer{Effects: []schema.Effect{
				{Resource: "redis://" + own + ":6379/0", Mode: schema.Write},
				{Resource: "file:///backups", Mode: schema.Read},
				{Resource: "s3://minio:9000/b?versions", Mode: schema.Delete},
			}, Destructive: true},
		},
		"no URL":     {[]sdk.DeclaredEffect{{"/backups", "write"}}, answer{Message: `the resource "/backups" is not a URL such as file:///backups`}},
		"a password": {[]sdk.DeclaredEffect{{"s3://key:hunter2@minio/b", "write"}}, answer{Message: "the resource number 1 holds a user name or password; leave it out"}},
		"a mode that is none": {
			[]sdk.DeclaredEffect{{"file:///a", "read"}, {"file:///b", "erase"}},
			answer{Effects: []schema.Effect{{Resource: "file:///a", Mode: schema.Read}}, Message: `the mode "erase" of file:///b is none of read, write and delete`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got answer
			var failure *schema.Failure
			if got.Effects, got.Destructive, failure = sdk.DeclaredEffects(test.declared); failure != nil {
				got.Message = failure.Message
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
