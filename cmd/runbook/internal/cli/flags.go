package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runbook-engine/runbook/engine"
)

// inputFlags say where the values of variables come from.
type inputFlags struct {
	environment string
	vars        []string
	varFiles    []string
}

func (f *inputFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.environment, "environment", "", "take values from environments/`NAME`.vars.hcl")
	flags.StringArrayVar(&f.vars, "var", nil, "set a variable: `name=value`; may be given again")
	flags.StringArrayVar(&f.varFiles, "var-file", nil, "take values from a `FILE`; may be given again")
}

func (f *inputFlags) inputs(a *app) engine.Inputs {
	return engine.Inputs{Environment: f.environment, VarFiles: f.varFiles, Vars: f.vars, Environ: a.environ}
}

// formatFlag is --format with its short form --json.
type formatFlag struct {
	format string
	json   bool
}

// The formats that commands write.
const (
	formatText     = "text"
	formatMarkdown = "markdown"
	formatJSON     = "json"
)

// register adds --format, which accepts the given formats, the first being the
// default, and --json where that is one of them.
func (f *formatFlag) register(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringVar(&f.format, "format", formats[0], "one of "+strings.Join(formats, ", "))
	if slices.Contains(formats, formatJSON) {
		cmd.Flags().BoolVar(&f.json, "json", false, "the same as --format json")
		cmd.MarkFlagsMutuallyExclusive("json", "format")
	}
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if f.json {
			f.format = formatJSON
		}
		if !slices.Contains(formats, f.format) {
			return advise(fmt.Errorf("--format %s is not known here", f.format), "It is one of "+strings.Join(formats, ", ")+".")
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}

// isJSON says whether one JSON document is wanted; nil: no.
func (f *formatFlag) isJSON() bool { return f != nil && f.format == formatJSON }
