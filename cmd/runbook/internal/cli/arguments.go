package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// adviseArguments makes cmd and all below it say how they are used where the
// number of arguments is wrong, and which command was meant where there is none
// of a name.
func adviseArguments(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		adviseArguments(sub)
	}
	takes := cmd.Args
	if cmd.HasSubCommands() {
		takes = cobra.NoArgs
	}
	if takes == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case takes(cmd, args) == nil:
			return nil
		case cmd.HasSubCommands():
			return advise(fmt.Errorf("unknown command %q of %s", args[0], cmd.CommandPath()), didYouMean(args[0], commandNames(cmd)))
		}
		return advise(fmt.Errorf("wrong number of arguments: %d", len(args)),
			fmt.Sprintf("Usage: %s. See %s --help.", cmd.UseLine(), cmd.CommandPath()))
	}
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	return names
}
