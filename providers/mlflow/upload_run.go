package mlflow

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// find opens what is uploaded to.
type find func(ctx context.Context, c *client) (*root, error)

func (args uploadArgs) root(ctx context.Context, c *client) (*root, error) {
	r, err := c.run(ctx, args.RunID)
	if err != nil {
		return nil, err
	}
	return c.runRoot(r)
}

func (args logModelArgs) root(ctx context.Context, c *client) (*root, error) {
	m, err := c.model(ctx, args.ModelID)
	if err != nil {
		return nil, err
	}
	return c.modelRoot(m)
}

func (p *provider) upload(ctx context.Context, args uploadArgs, call *sdk.Call) (uploadResult, error) {
	if f := args.validate(); f != nil {
		return uploadResult{}, sdk.Clean(f)
	}
	return p.uploads(ctx, args.root, args.Path, args.From, call)
}

func (p *provider) logModel(ctx context.Context, args logModelArgs, call *sdk.Call) (uploadResult, error) {
	if f := args.validate(); f != nil {
		return uploadResult{}, sdk.Clean(f)
	}
	return p.uploads(ctx, args.root, "", args.From, call)
}

func (p *provider) uploads(ctx context.Context, to find, below string, h From, call *sdk.Call) (uploadResult, error) {
	c, err := p.open(ctx)
	if err != nil {
		return uploadResult{}, sdk.Clean(err)
	}
	defer c.close()
	at, err := to(ctx, c)
	if err != nil {
		return uploadResult{}, sdk.Clean(c.failure(ctx, err))
	}
	u, err := c.compare(ctx, at, below, h)
	if err != nil {
		return uploadResult{}, sdk.Clean(c.failure(ctx, err))
	}
	defer u.from.Close()
	if err := u.within(call); err != nil {
		return uploadResult{}, sdk.Clean(err)
	}
	result, failures := u.run(ctx, call)
	if len(failures) > 0 {
		return uploadResult{}, u.stopped(ctx, result, failures)
	}
	result.Result = sdk.OK("wrote %s, %s, to %s; %d were there already", phrase.Count(result.Files, "file", "files"), phrase.Size(result.Bytes), at.uri, result.Unchanged)
	if n := int64(len(result.Differing)); n > 0 {
		result.Summary += fmt.Sprintf(", %d of them with another size", n)
	}
	return result, nil
}

// stopped is the error of an upload that did not come to its end.
func (u *upload) stopped(ctx context.Context, done uploadResult, failures []error) error {
	state, worst := batch.Worst(failures, done.Files > 0)
	return batch.Ended(fmt.Errorf("after %d of %s: %w", done.Files, phrase.Count(int64(len(u.tasks)), "file", "files"), u.at.failure(ctx, worst)), state)
}

func (p *provider) previewUpload(ctx context.Context, args uploadArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	return p.previews(ctx, args.root, args.Path, args.From, p.resource("runs", args.RunID, "artifacts"))
}

func (p *provider) previewLogModel(ctx context.Context, args logModelArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	return p.previews(ctx, args.root, "", args.From, p.resource("logged-models", args.ModelID, "artifacts"))
}

// previews also tells whether anything there would be lost, and which store is
// written to.
func (p *provider) previews(ctx context.Context, to find, below string, h From, resource string) (preview sdk.PreviewResult, err error) {
	err = p.use(ctx, func(c *client) error {
		at, err := to(ctx, c)
		if err != nil {
			return err
		}
		u, err := c.compare(ctx, at, below, h)
		if err != nil {
			return err
		}
		defer u.from.Close()
		if at.direct() {
			if _, _, _, err := at.bucket(""); err != nil {
				return err
			}
		}
		impact := u.impact()
		destroys := impact["overwritten"] > 0
		preview = sdk.PreviewResult{Impact: impact, Destructive: &destroys, Effects: p.touches(h, resource, destroys)}
		if at.direct() {
			preview.Effects = append(preview.Effects, schema.Effect{Resource: at.store(), Mode: preview.Effects[1].Mode})
		}
		for _, t := range u.tasks {
			sign := "+ "
			if t.replaces {
				sign = "~ "
			}
			if len(preview.Sample) < 10 {
				preview.Sample = append(preview.Sample, sign+t.to)
			}
		}
		preview.Summary = fmt.Sprintf("writes %s, %s, to %s; %d are there already", phrase.Count(impact["files"], "file", "files"), phrase.Size(u.bytes), at.uri, u.result.Unchanged)
		if destroys {
			preview.Summary += fmt.Sprintf("; writes over %d", impact["overwritten"])
		}
		if n := len(u.result.Differing); n > 0 {
			preview.Summary += fmt.Sprintf(", %d of them with another size", n)
		}
		return nil
	})
	return preview, err
}

// store is the place on S3 that a direct root is, as effects name it.
func (r *root) store() string {
	u, err := url.Parse(r.config.S3Endpoint)
	if err != nil {
		return r.uri.String()
	}
	return "s3" + sdk.EffectURL(&url.URL{Scheme: u.Scheme, Host: u.Host})[len(u.Scheme):] + "/" + r.uri.Host + escaped(r.uri.Path)
}

// touches are the effects of an upload: what is read, and what is written.
func (p *provider) touches(h From, resource string, destroys bool) []schema.Effect {
	mode := schema.Write
	if destroys {
		mode = schema.Delete
	}
	local := (&url.URL{Scheme: "file", Path: filepath.ToSlash(p.directory(h))}).String()
	return []schema.Effect{{Resource: local, Mode: schema.Read}, {Resource: resource, Mode: mode}}
}

func (p *provider) describeUpload(args uploadArgs, call *sdk.Call) sdk.Description {
	d := p.describes(args.From, "runs", args.RunID, call.Unknown("run_id"), call)
	if call.Unknown("run_id") || call.Unknown("artifact_path") || call.Unknown("directory") || call.Unknown("mode") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("uploads %s to the artifacts of run %s", p.directory(args.From), args.RunID)
	d.Command = []string{"env", "MLFLOW_TRACKING_URI=" + p.uri.String(), "mlflow", "artifacts", "log-artifacts", "--run-id", args.RunID, "--local-dir", p.directory(args.From)}
	if args.Path != "" {
		d.Command = append(d.Command, "--artifact-path", args.Path)
	}
	return d
}

func (p *provider) describeLogModel(args logModelArgs, call *sdk.Call) sdk.Description {
	d := p.describes(args.From, "logged-models", args.ModelID, call.Unknown("model_id"), call)
	if call.Unknown("model_id") || call.Unknown("directory") || call.Unknown("mode") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("uploads %s to the logged model %s", p.directory(args.From), args.ModelID)
	d.Command = []string{
		"env", "MLFLOW_TRACKING_URI=" + p.uri.String(), "python3", "-c",
		"import mlflow, sys; mlflow.MlflowClient().log_model_artifacts(*sys.argv[1:])", args.ModelID, p.directory(args.From),
	}
	return d
}

func (p *provider) describes(h From, kind, id string, unknown bool, call *sdk.Call) sdk.Description {
	destroys := h.Mode == "overwrite" || call.Unknown("mode")
	resource := p.resource(kind, id, "artifacts")
	if unknown {
		resource = p.resource(kind)
	}
	d := sdk.Description{Destructive: destroys, Effects: p.touches(h, resource, destroys), Summary: "uploads artifacts"}
	if call.Unknown("directory") {
		d.Effects = d.Effects[1:]
	}
	return d
}
