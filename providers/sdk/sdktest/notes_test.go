package sdktest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// notes is a provider whose backend is a folder. It tells one lie, or none.
type notes struct{ notesConfig }

type notesConfig struct {
	Dir   string `runbook:"dir" doc:"Folder of the notes."`
	Token string `runbook:"token,optional,sensitive" doc:"A secret."`
	Lie   string `runbook:"lie,optional" doc:"What to lie about."`
}

type nothing struct{}

type noteArgs struct {
	Name string `runbook:"name" doc:"Name of the note."`
}

type noteResult struct {
	sdk.Result
	Notes int64 `runbook:"notes" doc:"How many notes it was."`
}

func notesProvider() *sdk.Provider {
	n := &notes{}
	return &sdk.Provider{
		Name: "notes", Version: "1", Doc: "Notes in a folder.",
		Configure: sdk.Configure(func(_ context.Context, c notesConfig) error { n.notesConfig = c; return nil }),
		Probes:    []sdk.Probe{sdk.NewProbe("count", "Counts the notes.", n.count)},
		Actions: []sdk.Action{
			sdk.NewAction("wipe", "Deletes all notes.", n.wipe, sdk.Idempotent, sdk.MayDestroy, sdk.Counts("notes"), sdk.Enforces("notes"),
				sdk.Describe(n.describeWipe),
				sdk.Preview(func(context.Context, nothing, *sdk.Call) (sdk.PreviewResult, error) {
					held, err := n.list()
					if n.Lie == "preview counts one too many" {
						held = append(held, "")
					}
					return sdk.PreviewResult{Impact: schema.Impact{"notes": int64(len(held))}}, err
				})),
			sdk.NewAction("add", "Adds one more note.", n.add, sdk.Keyed, sdk.Describe(n.describeAdd), sdk.Settle(n.settleAdd)),
			sdk.NewAction("create", "Creates one note.", n.create, sdk.Observed, sdk.Describe(n.describeAdd), sdk.Settle(n.settleCreate)),
		},
	}
}

// list fails where the folder is not there.
func (n *notes) list() ([]string, error) {
	entries, err := os.ReadDir(n.Dir)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		f := sdk.Fail("folder_missing", "there is no folder %s", n.Dir)
		if f.Remedy = "make it"; n.Lie == "no remedy" {
			f.Remedy = ""
		}
		return nil, f
	}
	return names, err
}

func (n *notes) write(name string) error { return os.WriteFile(filepath.Join(n.Dir, name), nil, 0o600) }

func (n *notes) count(_ context.Context, _ nothing, c *sdk.Call) (noteResult, error) {
	if n.Lie == "a probe writes" {
		_ = n.write("probed")
	}
	held, err := n.list()
	r := noteResult{Result: sdk.OK("%d notes", len(held)), Notes: int64(len(held))}
	if n.Lie == "a secret is told" {
		r.Summary = "token=" + n.Token
	}
	return r, err
}

func (n *notes) effects(m schema.Mode) []schema.Effect {
	return []schema.Effect{{Resource: "file://" + n.Dir, Mode: m}}
}

func (n *notes) describeWipe(nothing, *sdk.Call) sdk.Description {
	return sdk.Description{Effects: n.effects(schema.Delete), Destructive: n.Lie != "harmless, it says", Summary: "deletes all notes"}
}

func (n *notes) wipe(ctx context.Context, _ nothing, c *sdk.Call) (noteResult, error) {
	held, err := n.list()
	if err != nil {
		return noteResult{}, sdk.Clean(err)
	}
	if limit, ok := c.Limit("notes"); ok && int64(len(held)) > limit && n.Lie != "a limit is ignored" {
		return noteResult{}, sdk.Clean(&schema.Failure{Code: "limit_exceeded", Message: "too many", Remedy: "raise the limit"})
	}
	for _, name := range held {
		_ = os.Remove(filepath.Join(n.Dir, name))
	}
	switch n.Lie {
	case "clean, it says":
		return noteResult{}, sdk.Clean(sdk.Fail("failed", "nothing was done"))
	case "twice is not once":
		_ = n.write(fmt.Sprintf("wiped %d", len(held)))
	case "a secret is in a command line":
		_ = c.Command(ctx, "sleep", "0.3", "#"+n.Token).Run()
		_ = c.Command(ctx, "sh", "-c", "sleep 0.3 # "+n.Token).Run()
	}
	return noteResult{Result: sdk.OK("wiped"), Notes: int64(len(held))}, nil
}

func (n *notes) describeAdd(args noteArgs, _ *sdk.Call) sdk.Description {
	return sdk.Description{Effects: n.effects(schema.Write), Summary: "adds " + args.Name}
}

func (n *notes) key(c *sdk.Call) string { return filepath.Join(n.Dir, ".key "+c.Key()) }

func (n *notes) add(_ context.Context, args noteArgs, c *sdk.Call) (noteResult, error) {
	held, err := n.list()
	if err != nil {
		return noteResult{}, sdk.Clean(err)
	}
	if _, err := os.Stat(n.key(c)); err == nil && n.Lie != "done twice under one key" {
		return noteResult{Result: sdk.OK("added before"), Notes: 1}, nil
	}
	if err := os.WriteFile(n.key(c), nil, 0o600); err != nil {
		return noteResult{}, sdk.Clean(err)
	}
	return noteResult{Result: sdk.OK("added"), Notes: 1}, n.write(fmt.Sprintf("%s %d", args.Name, len(held)))
}

func (n *notes) settleAdd(_ context.Context, _ noteArgs, c *sdk.Call) (noteResult, schema.State, error) {
	if _, err := os.Stat(n.key(c)); err == nil {
		return noteResult{Result: sdk.OK("added"), Notes: 1}, schema.Done, nil
	}
	if n.Lie == "settled as done" {
		return noteResult{Result: sdk.OK("added"), Notes: 1}, schema.Done, nil
	}
	return noteResult{}, schema.FailedClean, nil
}

func (n *notes) create(_ context.Context, args noteArgs, _ *sdk.Call) (noteResult, error) {
	if _, err := n.list(); err != nil {
		return noteResult{}, sdk.Clean(err)
	}
	return noteResult{Result: sdk.OK("created"), Notes: 1}, n.write(args.Name)
}

func (n *notes) settleCreate(_ context.Context, args noteArgs, _ *sdk.Call) (noteResult, schema.State, error) {
	if _, err := os.Stat(filepath.Join(n.Dir, args.Name)); err != nil || n.Lie == "settled as never done" {
		return noteResult{}, schema.FailedClean, nil
	}
	return noteResult{Result: sdk.OK("created"), Notes: 1}, schema.Done, nil
}
