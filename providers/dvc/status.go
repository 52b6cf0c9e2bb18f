package dvc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const statusDoc = `Whether workspace and pipeline are as dvc.lock and the .dvc files say, by dvc status. It is ok where something is tracked, all of it is recorded and nothing has changed. It takes DVC's lock while it looks.`

type statusResult struct {
	sdk.Result
	Outputs    int           `runbook:"outputs" doc:"Files and folders that are tracked."`
	Unrecorded []string      `runbook:"unrecorded" doc:"Those whose content is not recorded: their stage has never run."`
	Stages     []stageStatus `runbook:"stages" doc:"Stages and .dvc files that are not as they should be."`
}

// stageStatus is what has changed of one stage.
type stageStatus struct {
	Stage   string            `runbook:"stage" doc:"Name of the stage, or the .dvc file."`
	Command bool              `runbook:"command" doc:"Whether its command, or what it always runs for, has changed."`
	Deps    map[string]string `runbook:"deps" doc:"Dependencies that have changed, and how: modified, deleted, new."`
	Outputs map[string]string `runbook:"outputs" doc:"Outputs that have changed, and how: modified, deleted, new, not in cache."`
}

func (p *provider) status(ctx context.Context, _ noArgs, call *sdk.Call) (statusResult, error) {
	r, err := p.open(call)
	if err != nil {
		return statusResult{}, err
	}
	known, err := source{repository: r}.index(ctx)
	if err != nil {
		return statusResult{}, err
	}
	found := statusResult{Outputs: len(known.outputs)}
	for _, out := range known.outputs {
		if (out.object == object{}) {
			found.Unrecorded = append(found.Unrecorded, out.path)
		}
	}
	if found.Stages, err = r.changedStages(ctx); err != nil {
		return statusResult{}, err
	}
	switch {
	case len(known.outputs) == 0:
		found.Result = sdk.NotOK("nothing is tracked")
	case len(found.Stages) > 0:
		var names []string
		for _, s := range found.Stages {
			names = append(names, s.String())
		}
		found.Result = sdk.NotOK("changed: %s", some(names))
	case len(found.Unrecorded) > 0:
		found.Result = sdk.NotOK("never recorded: %s", some(found.Unrecorded))
	default:
		found.Result = sdk.OK("%s as recorded", phrase.Count(int64(len(known.outputs)), "output is", "outputs are"))
	}
	return found, nil
}

// String says what has changed in a few words.
func (s stageStatus) String() string {
	var what []string
	if s.Command {
		what = append(what, "command")
	}
	for _, changes := range []map[string]string{s.Deps, s.Outputs} {
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			what = append(what, path.Base(name)+" "+changes[name])
		}
	}
	return fmt.Sprintf("%s (%s)", s.Stage, strings.Join(what, ", "))
}

// changedStages asks dvc status.
func (r *repository) changedStages(ctx context.Context) ([]stageStatus, error) {
	out, err := r.run(ctx, false, "status", "--json")
	if err != nil {
		return nil, err
	}
	var said map[string][]any
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, sdk.Fail("dvc_error", "dvc status printed something that this provider does not know: %v", err)
	}
	var found []stageStatus
	for _, name := range slices.Sorted(maps.Keys(said)) {
		s := stageStatus{Stage: name, Deps: map[string]string{}, Outputs: map[string]string{}}
		for _, entry := range said[name] {
			changes, ok := entry.(map[string]any)
			if !ok { // a word: "changed command", "always changed"
				s.Command = true
				continue
			}
			for kind, files := range changes {
				into := s.Deps
				if strings.Contains(kind, "outs") {
					into = s.Outputs
				}
				named, _ := files.(map[string]any)
				for file, how := range named {
					into[file] = fmt.Sprint(how) // of parameters, what has changed in the file
				}
			}
		}
		found = append(found, s)
	}
	return found, nil
}
