package mlflow

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const modelVersionDoc = `A version of a registered model, by its number or by an alias: whether it can be loaded, which takes that MLflow calls it READY and that its MLmodel is in the
artifact store. A model, version or alias that does not exist is not ok.`

type modelVersionArgs struct {
	Name    string `runbook:"name" doc:"Name of the registered model."`
	Version string `runbook:"version,optional" doc:"Number of the version. Either this or alias."`
	Alias   string `runbook:"alias,optional" doc:"An alias, such as champion."`
}

type modelVersionResult struct {
	sdk.Result
	Exists  bool     `runbook:"exists" doc:"Whether model and version, or alias, exist."`
	Version string   `runbook:"version" doc:"Number of the version; empty where it does not exist."`
	Aliases []string `runbook:"aliases" doc:"All aliases of this version."`
	Status  string   `runbook:"status" doc:"What MLflow says of it: READY, PENDING_REGISTRATION or FAILED_REGISTRATION."`
	RunID   string   `runbook:"run_id" doc:"The run that logged it; empty where MLflow does not know."`
	ModelID string   `runbook:"model_id" doc:"The logged model that it is; empty for one from before MLflow 3."`
	Source  string   `runbook:"source" doc:"Where it was registered from."`
	Files   []string `runbook:"files" doc:"Its files in the artifact store."`
	Bytes   int64    `runbook:"bytes" doc:"Their sizes, added up."`
}

func (args modelVersionArgs) String() string {
	if args.Alias != "" {
		return args.Name + "@" + args.Alias
	}
	return fmt.Sprintf("version %s of %s", args.Version, args.Name)
}

// version is a model version as the REST API has it.
type version struct {
	Version string   `json:"version"`
	Status  string   `json:"status"`
	Run     string   `json:"run_id"`
	Source  string   `json:"source"`
	Aliases []string `json:"aliases"`
}

func (p *provider) modelVersion(ctx context.Context, args modelVersionArgs, _ *sdk.Call) (modelVersionResult, error) {
	if (args.Version == "") == (args.Alias == "") {
		return modelVersionResult{}, sdk.InvalidArgument("version", "give either version or alias")
	}
	var result modelVersionResult
	err := p.use(ctx, func(c *client) error {
		number := args.Version
		if args.Alias != "" {
			aliases, err := c.aliases(ctx, args.Name)
			if err != nil && !absent(err) {
				return err
			}
			if number = aliases[args.Alias]; number == "" {
				result.Result = sdk.NotOK("there is no %s", args)
				return nil
			}
		}
		v, err := c.version(ctx, args.Name, number)
		if absent(err) {
			result.Result = sdk.NotOK("there is no %s", args)
			return nil
		}
		if err != nil {
			return err
		}
		result = modelVersionResult{Exists: true, Version: v.Version, Aliases: v.Aliases, Status: v.Status, RunID: v.Run, Source: v.Source}
		return c.weigh(ctx, args, v, &result)
	})
	if err != nil {
		return modelVersionResult{}, err
	}
	return result, nil
}

// aliases are a registered model's, with the versions that they stand for.
func (c *client) aliases(ctx context.Context, name string) (map[string]string, error) {
	var found struct {
		Model struct {
			Aliases []struct{ Alias, Version string } `json:"aliases"`
		} `json:"registered_model"`
	}
	if err := c.get(ctx, "registered-models/get", url.Values{"name": {name}}, &found); err != nil {
		return nil, err
	}
	aliases := map[string]string{}
	for _, a := range found.Model.Aliases {
		aliases[a.Alias] = a.Version
	}
	return aliases, nil
}

func (c *client) version(ctx context.Context, name, number string) (version, error) {
	var found struct {
		Version version `json:"model_version"`
	}
	err := c.get(ctx, "model-versions/get", url.Values{"name": {name}, "version": {number}}, &found)
	return found.Version, err
}

// weigh looks at the files of a version and judges it.
func (c *client) weigh(ctx context.Context, args modelVersionArgs, v version, result *modelVersionResult) error {
	at, below, err := c.source(ctx, v, result)
	if err != nil {
		return err
	}
	files, err := at.files(ctx, below)
	if err != nil {
		return err
	}
	usable := false
	for _, one := range files {
		name := strings.TrimPrefix(strings.TrimPrefix(one.Path, below), "/")
		result.Files = append(result.Files, name)
		result.Bytes += one.Bytes
		usable = usable || name == "MLmodel" && one.Bytes > 0
	}
	slices.Sort(result.Files)
	told := fmt.Sprintf("%s is version %s, %s, %s, %s", args, v.Version, v.Status, phrase.Count(int64(len(files)), "file", "files"), phrase.Size(result.Bytes))
	switch {
	case !usable:
		result.Result = sdk.NotOK("%s: it cannot be loaded, its MLmodel is not in %s", told, at.uri)
	case v.Status != "READY":
		result.Result = sdk.NotOK("%s: it cannot be loaded", told)
	default:
		result.Result = sdk.OK("%s", told)
	}
	return nil
}

// source finds the root that a version's files are below, and where: that of a
// logged model, or, of a version from before MLflow 3, that of its run.
func (c *client) source(ctx context.Context, v version, result *modelVersionResult) (*root, string, error) {
	if id, ok := strings.CutPrefix(v.Source, "models:/"); ok {
		m, err := c.model(ctx, id)
		if err != nil {
			return nil, "", err
		}
		result.ModelID = id
		at, err := c.modelRoot(m)
		return at, "", err
	}
	if v.Run == "" {
		return nil, "", unreadable(v.Source)
	}
	r, err := c.run(ctx, v.Run)
	if err != nil {
		return nil, "", err
	}
	below, ok := strings.CutPrefix(v.Source, r.Info.ArtifactURI+"/")
	if !ok {
		below, ok = strings.CutPrefix(v.Source, "runs:/"+v.Run+"/")
	}
	if !ok {
		return nil, "", unreadable(v.Source)
	}
	at, err := c.runRoot(r)
	return at, strings.Trim(below, "/"), err
}
