package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine/event"
)

type versionOptions struct {
	app *app

	json bool
}

func newCmdVersion(a *app, runF func(*versionOptions) error) *cobra.Command {
	opts := &versionOptions{app: a}
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is",
		Example: "  runbook version --json",
		GroupID: groupOther,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runVersion(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "write JSON")
	return cmd
}

// versionDocument is the JSON of `version --json`.
type versionDocument struct {
	FormatVersion string `json:"format_version"`
	Version       string `json:"version"`
	Revision      string `json:"revision,omitempty"`
	Go            string `json:"go"`
	Platform      string `json:"platform"`
}

func runVersion(opts *versionOptions) error {
	document := versionDocument{
		FormatVersion: event.FormatVersion, Version: version(),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				document.Revision = setting.Value
			}
		}
	}
	if opts.json {
		return json.NewEncoder(opts.app.out).Encode(document)
	}
	fmt.Fprintf(opts.app.out, "runbook %s (%s, %s)\n", document.Version, document.Go, document.Platform)
	return nil
}
