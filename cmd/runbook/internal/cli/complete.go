package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
)

// What the shell completes. A completion that cannot be made is none: there is
// nowhere to say why.

func completeFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}

func (a *app) completeRun(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	choices := []string{"last\tthe newest run"}
	if st, err := a.store(); err == nil {
		runs, _ := st.Runs()
		for _, run := range runs {
			choices = append(choices, run.ID+"\t"+run.Runbook+" "+run.Outcome)
		}
	}
	return choices, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (a *app) completeRunThenStep(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return a.completeRun(cmd, args, typed)
	}
	var steps []string
	if st, err := a.store(); err == nil {
		if id, err := st.Resolve(args[0]); err == nil {
			steps = waitingSteps(st, id)
		}
	}
	return steps, cobra.ShellCompDirectiveNoFileComp
}

// completeSteps completes the given flags with the addresses of the runbook's
// steps.
func (a *app) completeSteps(cmd *cobra.Command, flags ...string) {
	complete := func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var steps []string
		if rb := a.peek(args); rb != nil {
			for _, step := range rb.Steps {
				steps = append(steps, step.Address()+"\t"+step.Title)
			}
		}
		return steps, cobra.ShellCompDirectiveNoFileComp
	}
	for _, flag := range flags {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete)
	}
}

func (a *app) completeChecks(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		if files, err := runbooksIn("."); err != nil || len(files) != 1 {
			return completeFile(cmd, args, typed)
		}
	}
	file, _ := splitFile(args)
	var names []string
	if rb := a.peek(file); rb != nil {
		for name, check := range rb.Checks {
			names = append(names, name+"\t"+check.Description)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// peek loads a runbook as far as it can be, without asking anybody anything.
func (a *app) peek(args []string) *runbook.Runbook {
	file := ""
	if len(args) > 0 {
		file = args[0]
	} else if files, err := runbooksIn("."); err == nil && len(files) == 1 {
		file = files[0]
	} else {
		return nil
	}
	rb, _ := runbook.Load(file)
	return rb
}

func completeOperation(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, provider := range bundledSchemas() {
		if !strings.Contains(typed, ".") {
			names = append(names, provider.Name+"\t"+provider.Doc)
		}
		for _, o := range provider.Operations {
			names = append(names, provider.Name+"."+o.Name+"\t"+o.Doc)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// waitingSteps are the steps of a run that wait for a person.
func waitingSteps(st *store.Store, id string) []string {
	record, err := st.Events(id)
	if err != nil {
		return nil
	}
	recap := &ui.Recap{}
	for e, err := range record {
		if err != nil {
			break
		}
		_ = recap.Emit(e) // never fails
	}
	return recap.Waiting()
}
