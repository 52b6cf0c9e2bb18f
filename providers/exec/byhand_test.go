package exec_test

import (
	osexec "os/exec"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// A command for another machine goes through the shell there, and its words stay
// words.
func TestByHandOverSSH(t *testing.T) {
	const hostile = "it's $(touch pwned) `x` \"y\" ; * \\"
	server := sdk.NewServer(exec.Provider())
	spec := exec.Provider().Schema()
	config := nulls(spec.Config)
	for name, value := range remoteConfig() {
		config[name] = cty.StringVal(value.(string))
	}
	if err := server.Configure(t.Context(), cty.ObjectVal(config)); err != nil {
		t.Fatal(err)
	}
	arguments := nulls(spec.Operation(schema.Probe, "run").Arguments)
	arguments["argv"] = cty.ListVal([]cty.Value{cty.StringVal("printf"), cty.StringVal("%s|"), cty.StringVal(hostile), cty.StringVal("")})
	arguments["dir"] = cty.StringVal(t.TempDir())
	hand, err := server.ByHand(t.Context(), schema.Operation{Name: "run", Kind: schema.Probe, Arguments: cty.ObjectVal(arguments)})
	if err != nil || len(hand.Command) == 0 {
		t.Fatalf("there is no command: %v", err)
	}
	out, err := osexec.Command(hand.Command[0], hand.Command[1:]...).CombinedOutput()
	if want := hostile + "||"; err != nil || string(out) != want {
		t.Errorf("it printed %q, want %q: %v", out, want, err)
	}
}

func nulls(of schema.Object) map[string]cty.Value {
	values := map[string]cty.Value{}
	for _, a := range of.Attributes {
		values[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
	}
	return values
}
