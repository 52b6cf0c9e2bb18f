// Command witness is a provider for the crash test: one action of each class,
// whose effects are files that can be counted afterwards. What it does is real;
// it stands for no backend.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func main() {
	w := &witness{}
	sdk.Serve(&sdk.Provider{
		Name: "witness", Version: "0.1.0", Doc: "Counts what was done.",
		Configure: sdk.Configure(w.configure),
		Probes:    []sdk.Probe{sdk.NewProbe("seen", "Whether something was done.", w.seen)},
		Actions: []sdk.Action{
			sdk.NewAction("idempotent", "Makes a file.", w.idempotent, sdk.Describe(w.describe), sdk.Idempotent),
			sdk.NewAction("keyed", "Makes a file that is named by the key, once.", w.keyed, sdk.Describe(w.describe), sdk.Keyed),
			sdk.NewAction("observed", "Appends a line that names the key.", w.observed, sdk.Describe(w.describe), sdk.Settle(w.settle), sdk.Observed),
			sdk.NewAction("manual", "Appends a line.", w.manual, sdk.Describe(w.describe), sdk.Manual),
			sdk.NewAction("broken", "Appends a line, and fails.", w.broken, sdk.Describe(w.describe), sdk.Manual),
		},
	})
}

// Config is the provider block.
type Config struct {
	Root string `runbook:"root" doc:"Folder of the effects."`
}

// Args are the arguments of all operations.
type Args struct {
	Name string `runbook:"name" doc:"What is done."`
}

type witness struct{ root string }

func (w *witness) configure(_ context.Context, c Config) error {
	w.root = c.Root
	return os.MkdirAll(c.Root, 0o700)
}

func (w *witness) describe(a Args, c *sdk.Call) sdk.Description {
	resource := "file://" + w.root
	if !c.Unknown("name") {
		resource += "/" + a.Name
	}
	return sdk.Description{Effects: []schema.Effect{{Resource: resource, Mode: schema.Write}}, Command: []string{"witness", a.Name}}
}

// work takes a moment before and after the effect, so that a kill can come
// between them.
func work(ctx context.Context, effect func() error) (sdk.Result, error) {
	if err := pause(ctx); err != nil {
		return sdk.Result{}, sdk.Clean(err)
	}
	if err := effect(); err != nil {
		return sdk.Result{}, err
	}
	if err := pause(ctx); err != nil {
		return sdk.Result{}, err
	}
	return sdk.OK("done"), nil
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(3 * time.Millisecond):
		return nil
	}
}

func (w *witness) idempotent(ctx context.Context, a Args, _ *sdk.Call) (sdk.Result, error) {
	return work(ctx, func() error { return os.WriteFile(filepath.Join(w.root, a.Name), nil, 0o600) })
}

func (w *witness) keyed(ctx context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	return work(ctx, func() error {
		f, err := os.OpenFile(filepath.Join(w.root, a.Name+"."+c.Key()), os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return nil // it was done
		}
		if err != nil {
			return err
		}
		return f.Close()
	})
}

func (w *witness) observed(ctx context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	return work(ctx, func() error { return w.write(a.Name, c.Key()) })
}

func (w *witness) manual(ctx context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	return work(ctx, func() error { return w.write(a.Name, c.Key()) })
}

func (w *witness) broken(ctx context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	if result, err := w.manual(ctx, a, c); err != nil {
		return result, err
	}
	return sdk.Result{}, errors.New("half done")
}

func (w *witness) write(name, key string) error {
	f, err := os.OpenFile(filepath.Join(w.root, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(key + "\n")
	return errors.Join(err, f.Close())
}

// settle is asked once nobody works at the attempt any more.
func (w *witness) settle(_ context.Context, a Args, c *sdk.Call) (sdk.Result, schema.State, error) {
	text, err := os.ReadFile(filepath.Join(w.root, a.Name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return sdk.Result{}, schema.Unknown, err
	}
	if strings.Contains(string(text), c.Key()+"\n") {
		return sdk.OK("the line is there"), schema.Done, nil
	}
	return sdk.Result{}, schema.FailedClean, fmt.Errorf("the line is not there")
}

func (w *witness) seen(_ context.Context, a Args, _ *sdk.Call) (sdk.Result, error) {
	found, err := filepath.Glob(filepath.Join(w.root, a.Name+"*"))
	if err != nil {
		return sdk.Result{}, err
	}
	if len(found) == 0 {
		return sdk.NotOK("no %s", a.Name), nil
	}
	return sdk.OK("%s is there", a.Name), nil
}
