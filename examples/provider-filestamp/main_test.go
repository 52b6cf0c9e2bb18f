package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestTouchMakesItFresh(t *testing.T) {
	dir := t.TempDir()
	h := sdktest.New(t, Provider(), map[string]any{"root": dir})
	missing := h.Probe("age", map[string]any{"path": "marker"})
	want := map[string]any{"ok": false, "summary": "there is no " + dir + "/marker", "touched_at": nil, "age_seconds": nil} // 0 would be fresh
	if diff := cmp.Diff(want, sdktest.Go(t, missing.Result)); diff != "" {
		t.Error(diff)
	}
	if o := h.Act("touch", map[string]any{"path": "marker"}); o.State != schema.Done {
		t.Fatal(o.State, o.Failure)
	}
	if o := h.Probe("age", map[string]any{"path": "marker"}); !o.Result.GetAttr("ok").True() {
		t.Error(sdktest.Go(t, o.Result))
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "marker"), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if o := h.Probe("age", map[string]any{"path": "marker"}); o.Result.GetAttr("ok").True() {
		t.Error(sdktest.Go(t, o.Result))
	}
}

func TestNoFolderIsAFailureThatChangedNothing(t *testing.T) {
	h := sdktest.New(t, Provider(), map[string]any{"root": t.TempDir()})
	if o := h.Act("touch", map[string]any{"path": "no/marker"}); o.State != schema.FailedClean {
		t.Error(o.State, o.Failure)
	}
}

func TestDescribe(t *testing.T) {
	h := sdktest.New(t, Provider(), map[string]any{"root": "/var/run"})
	for want, path := range map[string]any{"file:///var/run/a%20b": "a b", "file:///var/run": cty.UnknownVal(cty.String)} {
		d := h.Describe("touch", map[string]any{"path": path})
		if diff := cmp.Diff([]schema.Effect{{Resource: want, Mode: schema.Write}}, d.Effects); diff != "" {
			t.Error(diff)
		}
	}
}
