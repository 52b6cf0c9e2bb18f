package feast_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// hangInProvider is what this test binary does as a provider's process: it
// looks at a source that is locked, until it is killed.
func hangInProvider() {
	server := sdk.NewServer(feast.Provider())
	config := cty.ObjectVal(map[string]cty.Value{
		"repo": cty.StringVal(os.Getenv("LAB_FEATURE_REPO")), "python": cty.StringVal(os.Getenv("LAB_FEAST_PYTHON")),
		"env": cty.MapVal(map[string]cty.Value{"POSTGRES_PASSWORD": cty.StringVal(os.Getenv("POSTGRES_PASSWORD"))}),
	})
	if err := server.Configure(context.Background(), config); err != nil {
		panic(err)
	}
	o, err := server.Observe(context.Background(), schema.Operation{
		Name: "sync", Kind: schema.Probe,
		Arguments: cty.ObjectVal(map[string]cty.Value{"feature_view": cty.StringVal(view)}),
	})
	fmt.Fprintln(os.Stderr, "the probe did not hang:", o, err)
	os.Exit(1)
}

// A provider that is killed leaves no Feast behind, not even one that waits for
// a backend.
func TestProviderKilled(t *testing.T) {
	room.heal(t)
	tx, err := room.postgres(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE usdcop_m5_ohlcv IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	provider := exec.Command(self)
	provider.Env = append(os.Environ(), "FEAST_TEST_PROVIDER=1")
	for name, value := range room.env {
		provider.Env = append(provider.Env, name+"="+value)
	}
	provider.Stderr = t.Output()
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	watch := room.postgres(t)
	before := waiting(t, watch)
	eventually(t, "the probe waits for PostgreSQL", func() bool { return waiting(t, watch) > before })
	left := descendants(provider.Process.Pid)
	if len(left) != 2 { // the helper and its child
		t.Errorf("the provider has %d processes", len(left))
	}
	_ = provider.Process.Signal(syscall.SIGKILL)
	_ = provider.Wait()
	eventually(t, "they end", func() bool { return !slices.ContainsFunc(left, alive) })
}

// descendants are the processes below pid.
func descendants(pid int) []int {
	var all []int
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			all = append(append(all, child), descendants(child)...)
		}
	}
	return all
}

// alive tells whether a process is there and is not just waiting to be reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
