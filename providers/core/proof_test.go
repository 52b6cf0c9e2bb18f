package core_test

import (
	"os"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/core"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(core.Provider)
	os.Exit(m.Run())
}

// core has no backend: there is nothing that it could change, or that could be
// broken.
func TestProof(t *testing.T) {
	confirmed := sdktest.Answers(cty.EmptyObjectVal)
	filled := sdktest.Answers(cty.ObjectVal(map[string]cty.Value{"run": cty.StringVal("a1")}))
	values := map[string]any{"run": map[string]any{"description": "Which run."}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: core.Provider,
		World:    func(testing.TB) any { return nil },
		Probes: []sdktest.ProbeProof{
			{Name: "host", Args: map[string]any{"path": "/"}},
			{Name: "time", Args: map[string]any{"timezone": "America/Bogota"}, Refused: []sdktest.Refused{
				{Args: map[string]any{"timezone": "Mars/Base"}, Code: "invalid_argument"},
			}},
		},
		Actions: []sdktest.ActionProof{
			{Name: "log", Args: map[string]any{"message": "so far so good"}, Class: schema.Idempotent, Unseen: true},
			{Name: "wait", Args: map[string]any{"duration": "1ms"}, Class: schema.Idempotent, Unseen: true},
			{Name: "fail", Args: map[string]any{"message": "not here"}, Class: schema.Idempotent, Fails: "failed"},
			{Name: "manual", Args: map[string]any{"message": "look"}, Options: []sdktest.Option{confirmed}, Class: schema.Idempotent, Unseen: true},
			{
				Name: "input", Args: map[string]any{"message": "which", "values": values}, Options: []sdktest.Option{filled}, Class: schema.Idempotent, Unseen: true,
				Refused: []sdktest.Refused{{Args: map[string]any{"message": "which", "values": map[string]any{}}, Code: "invalid_argument"}},
			},
		},
	})
}
