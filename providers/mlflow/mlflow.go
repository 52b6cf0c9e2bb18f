// Package mlflow looks into an MLflow tracking server and its model registry, and
// puts back what they have lost: experiments, runs, and the artifacts of runs and
// logged models, through the server or straight to S3. That a server lists a model
// does not mean that anybody can load it: the files themselves are looked at.
package mlflow

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is where the server is, who asks, and how artifacts that do not go
// through the server are reached.
type Config struct {
	TrackingURI    string        `runbook:"tracking_uri" doc:"URL of the server, such as http://mlflow:5000; no user name in it."`
	Username       string        `runbook:"username,optional" doc:"User name for basic authentication."`
	Password       string        `runbook:"password,optional,sensitive" doc:"Password for basic authentication."`
	Token          string        `runbook:"token,optional,sensitive" doc:"Bearer token, instead of user name and password."`
	S3Endpoint     string        `runbook:"s3_endpoint,optional" doc:"URL of the server that holds artifacts with s3:// addresses, such as http://minio:9000. Needed to write there; all else goes through MLflow."`
	S3AccessKey    string        `runbook:"s3_access_key,optional" doc:"Access key there."`
	S3SecretKey    string        `runbook:"s3_secret_key,optional,sensitive" doc:"Secret of the access key."`
	S3Region       string        `runbook:"s3_region" default:"us-east-1" doc:"Region of the buckets; MinIO's own is us-east-1."`
	CAFile         string        `runbook:"ca_file,optional" doc:"PEM file of certificate authorities to trust besides the system's."`
	ConnectTimeout time.Duration `runbook:"connect_timeout" default:"5s" doc:"Bound of connecting."`
	AnswerTimeout  time.Duration `runbook:"answer_timeout" default:"1m" doc:"How long a server may say nothing in the middle of a request."`
}

type provider struct {
	config Config
	uri    *url.URL
	dir    string // the runbook's folder
}

// Provider serves mlflow.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "mlflow", Version: "0.1.0",
		Doc:       "Looks into an MLflow server: experiments, runs, artifacts and models that can be loaded. Puts artifacts back, verified, and moves aliases.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("health", healthDoc, p.health),
			sdk.NewProbe("experiments", experimentsDoc, p.experiments),
			sdk.NewProbe("runs", runsDoc, p.runs),
			sdk.NewProbe("run_artifacts", runArtifactsDoc, p.runArtifacts),
			sdk.NewProbe("model_version", modelVersionDoc, p.modelVersion),
		},
		Actions: []sdk.Action{
			sdk.NewAction("upload_artifacts", uploadDoc, p.upload,
				sdk.Describe(p.describeUpload), sdk.Preview(p.previewUpload),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(uploadUnits()...), sdk.Enforces(uploadUnits()...)),
			sdk.NewAction("log_model_files", logModelDoc, p.logModel,
				sdk.Describe(p.describeLogModel), sdk.Preview(p.previewLogModel),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(uploadUnits()...), sdk.Enforces(uploadUnits()...)),
			sdk.NewAction("set_alias", setAliasDoc, p.setAlias,
				sdk.Describe(p.describeSetAlias), sdk.Preview(p.previewSetAlias),
				sdk.Idempotent, sdk.Counts("aliases")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	u, f := address("tracking_uri", c.TrackingURI)
	if f != nil {
		return f
	}
	if c.S3Endpoint != "" {
		if _, f := address("s3_endpoint", c.S3Endpoint); f != nil {
			return f
		}
	}
	switch {
	case c.Token != "" && c.Username != "":
		return sdk.InvalidArgument("token", "give token, or username and password, not both")
	case (c.S3AccessKey == "") != (c.S3SecretKey == ""):
		return sdk.InvalidArgument("s3_access_key", "give both s3_access_key and s3_secret_key, or neither")
	case c.ConnectTimeout <= 0:
		return sdk.InvalidArgument("connect_timeout", "connect_timeout must be positive, got %s", c.ConnectTimeout)
	case c.AnswerTimeout <= 0:
		return sdk.InvalidArgument("answer_timeout", "answer_timeout must be positive, got %s", c.AnswerTimeout)
	}
	p.config, p.uri, p.dir = c, u, sdk.Path(ctx, ".")
	return nil
}

// address reads a URL of the configuration.
func address(argument, text string) (*url.URL, *schema.Failure) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, sdk.InvalidArgument(argument, "%s must begin with http:// or https:// and name a host", argument)
	case u.User != nil:
		return nil, sdk.InvalidArgument(argument, "%s holds a user name; there are arguments for that", argument)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, sdk.InvalidArgument(argument, "%s has a query", argument)
	}
	return u, nil
}

// resource is a part of the server as effects name it.
func (p *provider) resource(parts ...string) string {
	text := "mlflow" + strings.TrimPrefix(sdk.EffectURL(p.uri), p.uri.Scheme)
	for _, part := range parts {
		text += "/" + url.PathEscape(part)
	}
	return text
}
