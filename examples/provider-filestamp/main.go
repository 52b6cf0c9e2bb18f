// Command runbook-provider-filestamp is a provider of another party: it knows
// marker files, whose time of modification says when something last happened.
package main

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func main() { sdk.Serve(Provider()) }

// Provider states what the process serves.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "filestamp", Version: "0.1.0",
		Doc:       "Marker files that say when something last happened.",
		Configure: sdk.Configure(p.configure),
		Probes: []sdk.Probe{
			sdk.NewProbe("age", "How long ago a marker file was touched.", p.age),
		},
		Actions: []sdk.Action{
			sdk.NewAction("touch", "Touches a marker file, and makes it where it is missing.", p.touch,
				sdk.Describe(p.describeTouch), sdk.Idempotent),
		},
	}
}

// Config is the provider block.
type Config struct {
	Root string `runbook:"root" doc:"Folder that relative paths start from." default:"."`
}

type provider struct{ root string }

func (p *provider) configure(_ context.Context, c Config) (err error) {
	p.root, err = filepath.Abs(c.Root)
	return err
}

func (p *provider) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(p.root, name)
}

// AgeArgs are the arguments of filestamp.age.
type AgeArgs struct {
	Path   string        `runbook:"path" doc:"The marker file."`
	MaxAge time.Duration `runbook:"max_age" doc:"How old it may be." default:"24h"`
}

// Age is what filestamp.age answers.
type Age struct {
	sdk.Result
	TouchedAt  *time.Time     `runbook:"touched_at" doc:"When it was touched; null where there is no such file."`
	AgeSeconds *time.Duration `runbook:"age_seconds" doc:"How long ago that was; null where there is no such file."`
}

func (p *provider) age(_ context.Context, a AgeArgs, _ *sdk.Call) (Age, error) {
	info, err := os.Stat(p.path(a.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return Age{Result: sdk.NotOK("there is no %s", p.path(a.Path))}, nil
	}
	if err != nil {
		return Age{}, err
	}
	touched, age := info.ModTime(), time.Since(info.ModTime())
	found := Age{TouchedAt: &touched, AgeSeconds: &age}
	if age > a.MaxAge {
		found.Result = sdk.NotOK("%s is %v old, it may be %v", a.Path, age.Round(time.Second), a.MaxAge)
	} else {
		found.Result = sdk.OK("%s is %v old", a.Path, age.Round(time.Second))
	}
	return found, nil
}

// TouchArgs are the arguments of filestamp.touch.
type TouchArgs struct {
	Path string `runbook:"path" doc:"The marker file; its folder must exist."`
}

func (p *provider) touch(_ context.Context, a TouchArgs, c *sdk.Call) (sdk.Result, error) {
	path, now := p.path(a.Path), time.Now()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return sdk.Result{}, sdk.Clean(err)
	}
	if err := errors.Join(f.Close(), os.Chtimes(path, now, now)); err != nil {
		return sdk.Result{}, err
	}
	c.Logf("touched %s", path)
	return sdk.OK("touched %s", path), nil
}

func (p *provider) describeTouch(a TouchArgs, c *sdk.Call) sdk.Description {
	path := p.path(a.Path)
	resource := url.URL{Scheme: "file", Path: path}
	d := sdk.Description{Effects: []schema.Effect{{Resource: resource.String(), Mode: schema.Write}}}
	if !c.Unknown("path") {
		d.Command, d.Summary = []string{"touch", path}, "touch "+path
	}
	return d
}
