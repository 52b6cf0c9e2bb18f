package mlflow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const runArtifactsDoc = `The artifacts of a run and those of the models that it logged, as the artifact store lists them now. It is ok when there is any, every required path is there, and
each logged model has its MLmodel. Where a store has lost them MLflow still lists run and models, and its list of artifacts is just empty.`

type runArtifactsArgs struct {
	RunID    string   `runbook:"run_id" doc:"The run."`
	Required []string `runbook:"required,optional" doc:"Paths that must be there: files or folders of the run, or of a logged model, below the model's name, such as policy/MLmodel."`
	Min      int64    `runbook:"min" default:"1" doc:"The fewest artifacts, the models' included, that are ok."`
}

type modelFiles struct {
	ModelID string   `runbook:"model_id" doc:"The logged model's ID."`
	Name    string   `runbook:"name" doc:"Its name."`
	Status  string   `runbook:"status" doc:"What MLflow says of it, such as LOGGED_MODEL_READY."`
	Files   []listed `runbook:"files" doc:"Its artifacts."`
	Usable  bool     `runbook:"usable" doc:"Whether its MLmodel is there."`
}

type listed struct {
	Path  string `runbook:"path" doc:"Path below the run's, or the model's, artifacts."`
	Bytes int64  `runbook:"bytes" doc:"Its size."`
}

type runArtifactsResult struct {
	sdk.Result
	ArtifactURI string       `runbook:"artifact_uri" doc:"Where the run's artifacts are."`
	Files       []listed     `runbook:"files" doc:"The run's artifacts, without those of its models."`
	Models      []modelFiles `runbook:"models" doc:"The models that it logged."`
	Artifacts   int64        `runbook:"artifacts" doc:"How many artifacts there are, the models' included."`
	Bytes       int64        `runbook:"bytes" doc:"Their sizes, added up."`
	Missing     []string     `runbook:"missing" doc:"Required paths that are not there, and the MLmodel of models that lack it."`
}

func (p *provider) runArtifacts(ctx context.Context, args runArtifactsArgs, _ *sdk.Call) (runArtifactsResult, error) {
	var result runArtifactsResult
	err := p.use(ctx, func(c *client) (err error) {
		result, err = c.artifactsOf(ctx, args.RunID)
		return err
	})
	if err != nil {
		return runArtifactsResult{}, err
	}
	result.Missing = result.lacks(args.Required)
	told := fmt.Sprintf("%s of run %s and %s of it, %s", phrase.Count(result.Artifacts, "artifact", "artifacts"), args.RunID,
		phrase.Count(int64(len(result.Models)), "logged model", "logged models"), phrase.Size(result.Bytes))
	result.Result = sdk.OK("%s", told)
	switch {
	case len(result.Missing) > 0:
		result.Result = sdk.NotOK("%s; missing: %s", told, strings.Join(result.Missing, ", "))
	case result.Artifacts < args.Min:
		result.Result = sdk.NotOK("%s; at least %d are expected", told, args.Min)
	}
	return result, nil
}

func (c *client) artifactsOf(ctx context.Context, id string) (runArtifactsResult, error) {
	var result runArtifactsResult
	r, err := c.run(ctx, id)
	if err != nil {
		return result, err
	}
	result.ArtifactURI = r.Info.ArtifactURI
	at, err := c.runRoot(r)
	if err != nil {
		return result, err
	}
	if result.Files, err = c.list(ctx, at, &result); err != nil {
		return result, err
	}
	models, err := c.modelsOf(ctx, r)
	if err != nil {
		return result, err
	}
	for _, m := range models {
		at, err := c.modelRoot(m)
		if err != nil {
			return result, err
		}
		one := modelFiles{ModelID: m.Info.ID, Name: m.Info.Name, Status: m.Info.Status}
		if one.Files, err = c.list(ctx, at, &result); err != nil {
			return result, err
		}
		one.Usable = holds(one.Files, "MLmodel")
		result.Models = append(result.Models, one)
	}
	return result, nil
}

// list is what is below a root, in order, counted into the result.
func (c *client) list(ctx context.Context, at *root, result *runArtifactsResult) ([]listed, error) {
	files, err := at.files(ctx, "")
	if err != nil {
		return nil, err
	}
	var all []listed
	for _, one := range files {
		all = append(all, listed{one.Path, one.Bytes})
		result.Artifacts++
		result.Bytes += one.Bytes
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// holds tells whether a path is among the files, or a folder of some.
func holds(files []listed, path string) bool {
	return slices.ContainsFunc(files, func(one listed) bool {
		return one.Path == path || strings.HasPrefix(one.Path, strings.TrimSuffix(path, "/")+"/")
	})
}

func (r runArtifactsResult) lacks(required []string) []string {
	var lost []string
	for _, path := range required {
		there := holds(r.Files, path)
		for _, m := range r.Models {
			below, ok := strings.CutPrefix(path, m.Name+"/")
			there = there || ok && holds(m.Files, below) || path == m.Name && len(m.Files) > 0
		}
		if !there {
			lost = append(lost, path)
		}
	}
	for _, m := range r.Models {
		if name := m.Name + "/MLmodel"; !m.Usable && !slices.Contains(lost, name) {
			lost = append(lost, name)
		}
	}
	return lost
}
