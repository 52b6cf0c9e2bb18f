package schema_test

import (
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

func TestEffectCovers(t *testing.T) {
	for _, test := range []struct {
		above, below string
		want         bool
	}{
		{"redis://db:6379/0", "redis://db:6379/0", true},
		{"redis://db:6379/0", "redis://db:6379/0/features", true},
		{"redis://db:6379", "redis://db:6379/0", true},
		{"redis://db:6379/", "redis://db:6379", true},
		{"Redis://DB:6379/0", "redis://db:6379/0", true},
		{"redis://db:6379/0/features", "redis://db:6379/0", false},
		{"redis://db:6379/1", "redis://db:6379/10", false},
		{"redis://db:6379/0", "redis://other:6379/0", false},
		{"s3://minio:9000/b", "gs://minio:9000/b", false},
		{"file:///backups/", "file:///backups//daily", true},
		{"file:///backups", "file:///backups2", false},
		{"file:///backups", "file:///srv/../../backups/daily", true},
		{"postgres://db/x?table=a", "postgres://db/x?table=b", false},
		{"postgres://db/x", "postgres://db/x?table=b", true},
		{"runbook:restore", "runbook:restore", true},
		{"runbook:restore", "runbook:restore_2", false},
	} {
		if got := (schema.Effect{Resource: test.above}).Covers(test.below); got != test.want {
			t.Errorf("%s covers %s: got %t, want %t", test.above, test.below, got, test.want)
		}
	}
}

func TestEffectConflicts(t *testing.T) {
	modes := []schema.Mode{schema.Read, schema.Write, schema.Delete}
	for _, a := range modes {
		for _, b := range modes {
			over := schema.Effect{Resource: "redis://db/0", Mode: a}
			under := schema.Effect{Resource: "redis://db/0/k", Mode: b}
			beside := schema.Effect{Resource: "redis://db/1", Mode: b}
			want := a != schema.Read || b != schema.Read
			if over.Conflicts(under) != want || under.Conflicts(over) != want {
				t.Errorf("%s above %s: want conflict %t both ways", a, b, want)
			}
			if over.Conflicts(beside) {
				t.Errorf("%s beside %s: want no conflict", a, b)
			}
		}
	}
	if !schema.Delete.Stronger(schema.Write) || !schema.Write.Stronger(schema.Read) || schema.Read.Stronger(schema.Read) {
		t.Error("the modes are read < write < delete")
	}
}
