// Package docker looks at a Docker engine and at compose projects on it, and
// changes them with proof. The engine is asked over its API; what compose does is
// done by docker compose itself, whose exit code is never taken for the answer:
// whether services run, are healthy, and run what they should is looked at
// afterwards, container by container.
package docker

import (
	"context"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is which engine, which compose project, and how long they may take.
type Config struct {
	Host           string            `runbook:"host" default:"unix:///var/run/docker.sock" doc:"The engine, as DOCKER_HOST names it: unix:///path/of/socket or tcp://host:port."`
	TLSFolder      string            `runbook:"tls_folder,optional" doc:"Folder with ca.pem, cert.pem and key.pem, for an engine that speaks TLS."`
	APIVersion     string            `runbook:"api_version,optional" doc:"Version of the engine's API to keep to, such as 1.41; without one, the newest that both sides know."`
	Project        string            `runbook:"project,optional" doc:"Compose project, for what names none itself."`
	ProjectDir     string            `runbook:"project_dir,optional" doc:"Folder of the project's compose file, for what names none itself. A relative one starts from the runbook's folder."`
	Files          []string          `runbook:"files,optional" doc:"Compose files, the later over the earlier, from project_dir; without them, compose's own choice."`
	Profiles       []string          `runbook:"profiles,optional" doc:"Compose profiles to enable."`
	OneShots       []string          `runbook:"one_shots,optional" doc:"Services that are to end by themselves with exit code 0. A service that another waits for by service_completed_successfully is one anyway."`
	Env            map[string]string `runbook:"env,optional,sensitive" doc:"Environment variables for docker compose, which fills them into compose files. Nothing is inherited but PATH and HOME."`
	Compose        []string          `runbook:"compose" default:"[\"docker\", \"compose\"]" doc:"The docker compose program, version 2 or newer, and its first arguments."`
	ConfigFolder   string            `runbook:"config_folder,optional" doc:"Folder of the command line's config.json and plugins, its DOCKER_CONFIG; without one, .docker in HOME."`
	ConnectTimeout time.Duration     `runbook:"connect_timeout" default:"5s" doc:"Bound of connecting."`
	AnswerTimeout  time.Duration     `runbook:"answer_timeout" default:"1m" doc:"How long the engine may say nothing in the middle of a request."`
}

type provider struct {
	config Config
	dir    string // the runbook's folder
}

// path is a path of an argument, made absolute.
func (p *provider) path(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.dir, path)
}

// Provider serves docker.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "docker", Version: "0.1.0",
		Doc:       "Looks at containers, images and compose projects of a Docker engine, and restarts, rolls out and cleans up with counted impact and proof.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("container", containerDoc, p.container),
			sdk.NewProbe("project", projectDoc, p.project),
			sdk.NewProbe("logs", logsDoc, p.logs),
			sdk.NewProbe("disk_usage", diskUsageDoc, p.diskUsage),
			sdk.NewProbe("image", imageDoc, p.image),
			sdk.NewProbe("config_drift", configDriftDoc, p.configDrift),
		},
		Actions: []sdk.Action{
			sdk.NewAction("restart", restartDoc, p.restart,
				sdk.Describe(p.describeRestart), sdk.Preview(p.previewRestart),
				sdk.Idempotent, sdk.Counts("containers"), sdk.Enforces("containers")),
			sdk.NewAction("compose_up", composeUpDoc, p.composeUp,
				sdk.Describe(p.describeComposeUp), sdk.Preview(p.previewComposeUp),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("containers")),
			sdk.NewAction("compose_stop", composeStopDoc, p.composeStop,
				sdk.Describe(p.describeComposeStop), sdk.Preview(p.previewComposeStop),
				sdk.Idempotent, sdk.Counts("containers"), sdk.Enforces("containers")),
			sdk.NewAction("compose_down", composeDownDoc, p.composeDown,
				sdk.Describe(p.describeComposeDown), sdk.Preview(p.previewComposeDown),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("containers", "volumes", "bytes"), sdk.Enforces("containers", "volumes")),
			sdk.NewAction("compose_build", composeBuildDoc, p.composeBuild,
				sdk.Describe(p.describeComposeBuild), sdk.Preview(p.previewComposeBuild),
				sdk.Idempotent, sdk.Counts("images"), sdk.Enforces("images")),
			sdk.NewAction("compose_pull", composePullDoc, p.composePull,
				sdk.Describe(p.describeComposePull), sdk.Preview(p.previewComposePull),
				sdk.Idempotent, sdk.Counts("images"), sdk.Enforces("images")),
			sdk.NewAction("tag", tagDoc, p.tag,
				sdk.Describe(p.describeTag), sdk.Preview(p.previewTag),
				sdk.Idempotent, sdk.Counts("tags")),
			sdk.NewAction("exec", execDoc, p.exec,
				sdk.Describe(p.describeExec), sdk.Preview(p.previewExec),
				sdk.Manual, sdk.MayDestroy),
			sdk.NewAction("prune", pruneDoc, p.prune,
				sdk.Describe(p.describePrune), sdk.Preview(p.previewPrune),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(pruneUnits()...), sdk.Enforces("containers", "networks", "images", "volumes")),
			sdk.NewAction("volume_remove", volumeRemoveDoc, p.volumeRemove,
				sdk.Describe(p.describeVolumeRemove), sdk.Preview(p.previewVolumeRemove),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("volumes", "bytes"), sdk.Enforces("volumes")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	if f := checkHost(c); f != nil {
		return f
	}
	if c.Project != "" {
		if f := checkProject(c.Project); f != nil {
			return f
		}
	}
	switch {
	case len(c.Compose) == 0 || c.Compose[0] == "":
		return sdk.InvalidArgument("compose", "compose names no program")
	case c.ConnectTimeout <= 0:
		return sdk.InvalidArgument("connect_timeout", "connect_timeout must be positive, got %s", c.ConnectTimeout)
	case c.AnswerTimeout <= 0:
		return sdk.InvalidArgument("answer_timeout", "answer_timeout must be positive, got %s", c.AnswerTimeout)
	case c.APIVersion != "" && !apiVersion.MatchString(c.APIVersion):
		return sdk.InvalidArgument("api_version", "api_version is a number such as 1.41")
	}
	for name, value := range c.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return sdk.InvalidArgument("env", "a variable in env has a name or value that no environment can hold")
		}
	}
	for _, folder := range []*string{&c.ProjectDir, &c.ConfigFolder, &c.TLSFolder} {
		if *folder != "" {
			*folder = sdk.Path(ctx, *folder)
		}
	}
	if strings.Contains(c.Compose[0], "/") { // else it is looked up in PATH
		c.Compose = append([]string{sdk.Path(ctx, c.Compose[0])}, c.Compose[1:]...)
	}
	p.config, p.dir = c, sdk.Path(ctx, ".")
	return nil
}

var apiVersion = regexp.MustCompile(`^1\.[0-9]{1,3}$`)

func checkHost(c Config) *schema.Failure {
	refuse := func(text string) *schema.Failure {
		f := sdk.InvalidArgument("host", "%s", text)
		f.Remedy = "write unix:///path/of/socket or tcp://host:port"
		return f
	}
	u, err := client.ParseHostURL(c.Host)
	switch {
	case err != nil:
		return refuse("host is no address of an engine")
	case u.Scheme != "unix" && u.Scheme != "tcp":
		return refuse("an engine is reached by unix:// or tcp://, not by " + u.Scheme + "://")
	case u.Scheme == "unix" && !strings.HasPrefix(u.Host, "/"):
		return refuse("the path of the engine's socket begins with a slash")
	case u.Scheme == "unix":
		return nil
	}
	full, err := url.Parse(c.Host)
	switch {
	case err != nil || full.Port() == "":
		return refuse("host lacks the engine's port")
	case full.User != nil || u.Path != "":
		return refuse("host holds more than a host and a port")
	}
	return nil
}

// projectName is what compose itself takes.
var projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func checkProject(name string) *schema.Failure {
	if projectName.MatchString(name) {
		return nil
	}
	return sdk.InvalidArgument("project", "%q cannot be the name of a compose project: it has lower-case letters, digits, dashes and underscores", name)
}
