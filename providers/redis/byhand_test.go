package redis_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// byHand carries out an action as a person would.
func byHand(t *testing.T, db int, action string, arguments map[string]cty.Value) error {
	t.Helper()
	server, config := configuredServer(t, db)
	spec := config.Operation(schema.Action, action)
	given := map[string]cty.Value{}
	for _, a := range spec.Arguments.Attributes {
		given[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
		if v, ok := arguments[a.Name]; ok {
			given[a.Name] = v
		}
	}
	hand, err := server.ByHand(t.Context(), schema.Operation{Name: action, Kind: schema.Action, Arguments: cty.ObjectVal(given)})
	if err != nil || len(hand.Command) == 0 {
		t.Fatalf("there is no command: %v", err)
	}
	cmd := exec.Command(hand.Command[0], hand.Command[1:]...)
	cmd.Env = os.Environ()
	for name, value := range hand.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	return err
}

func configuredServer(t *testing.T, db int) (*sdk.Server, *schema.Provider) {
	t.Helper()
	made := sdk.NewServer(redis.Provider())
	spec := redis.Provider().Schema()
	config := map[string]cty.Value{}
	for _, a := range spec.Config.Attributes {
		config[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
	}
	config["host"], config["port"] = cty.StringVal(server.Host), cty.NumberIntVal(int64(server.Port))
	config["password"], config["db"] = cty.StringVal(server.Password), cty.NumberIntVal(int64(db))
	if err := made.Configure(t.Context(), cty.ObjectVal(config)); err != nil {
		t.Fatal(err)
	}
	return made, spec
}

func TestActionsByHand(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "feast:%03d", 5)
	server.Fill(t, l.db, "other:%03d", 3)
	if err := byHand(t, l.db, "delete_pattern", map[string]cty.Value{"pattern": cty.StringVal("feast:*")}); err != nil {
		t.Error(err)
	}
	equal(t, 3, l.keys(t))
	if err := byHand(t, l.db, "set", map[string]cty.Value{"key": cty.StringVal("k"), "value": cty.StringVal("it's $(x)")}); err != nil {
		t.Error(err)
	}
	value, err := l.client.Get(t.Context(), "k").Result()
	if err != nil || value != "it's $(x)" {
		t.Errorf("k is %q: %v", value, err)
	}
}

// redis-cli goes on in database 0 where the one it is given cannot be selected.
func TestByHandNothingIsDoneInAnotherDatabase(t *testing.T) {
	client := server.Client(t, 0)
	key := fmt.Sprintf("kept:%s", t.Name())
	if err := client.Set(t.Context(), key, "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := byHand(t, 99999, "flushdb", nil); err == nil {
		t.Error("it says nothing of a database that is not there")
	}
	if n, err := client.Exists(t.Context(), key).Result(); err != nil || n != 1 {
		t.Errorf("database 0 was flushed: %v", err)
	}
	client.Del(t.Context(), key)
}
