package docker

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// filed is which, for what cannot do without the compose file.
func (p *provider) filed(w which) (which, *schema.Failure) {
	w, f := p.of(w)
	if f == nil && w.ProjectDir == "" {
		f = sdk.InvalidArgument("project_dir", "no folder of a compose file is named, neither here nor in the provider block")
	}
	return w, f
}

// arguments are what every docker compose command about this project has.
func (p *provider) arguments(w which) []string {
	args := []string{"--project-name", w.Project, "--project-directory", w.ProjectDir}
	for _, file := range p.config.Files {
		args = append(args, "--file", file)
	}
	for _, profile := range p.config.Profiles {
		args = append(args, "--profile", profile)
	}
	return args
}

// command is the equivalent command line.
func (p *provider) command(w which, args ...string) []string {
	return slices.Concat(p.config.Compose, p.arguments(w), args)
}

// compose runs docker compose, however it ends. Log tells whether its words go to
// the step's log.
func (p *provider) compose(ctx context.Context, call *sdk.Call, w which, log bool, args ...string) (program.Ended, error) {
	switch info, err := os.Stat(w.ProjectDir); {
	case err != nil:
		f := sdk.Fail("project_dir_missing", "the folder of the compose file cannot be used: %v", err)
		f.Argument, f.Remedy = "project_dir", "correct project_dir"
		return program.Ended{}, sdk.Clean(f)
	case !info.IsDir():
		f := sdk.Fail("project_dir_missing", "%s is no folder", w.ProjectDir)
		f.Argument, f.Remedy = "project_dir", "name the folder of the compose file; files names files in it"
		return program.Ended{}, sdk.Clean(f)
	}
	env := []string{"LC_ALL=C", "DOCKER_CLI_HINTS=false", "COMPOSE_MENU=0", "DOCKER_HOST=" + p.config.Host}
	if p.config.ConfigFolder != "" {
		env = append(env, "DOCKER_CONFIG="+p.config.ConfigFolder)
	}
	if p.config.TLSFolder != "" {
		env = append(env, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+p.config.TLSFolder)
	}
	if p.config.APIVersion != "" {
		env = append(env, "DOCKER_API_VERSION="+p.config.APIVersion)
	}
	for name, value := range p.config.Env {
		env = append(env, name+"="+value)
	}
	run := program.Program{
		Argv: slices.Concat(p.config.Compose, []string{"--ansi", "never", "--progress", "plain"}, p.arguments(w)), Argument: "compose",
		Remedy: "install docker compose, or set compose to its program", Env: env, Dir: w.ProjectDir, Cut: "docker compose was at " + args[0],
	}
	if log {
		run.Log = func(line string) { call.Logf("%s", line) }
	}
	return run.Run(ctx, call, args...)
}

// composed is one docker compose command that has to exit 0, which is no proof of
// anything yet.
func (p *provider) composed(ctx context.Context, call *sdk.Call, w which, log bool, args ...string) ([]byte, error) {
	ended, err := p.compose(ctx, call, w, log, args...)
	if err != nil {
		return nil, err
	}
	if ended.Code != 0 {
		return nil, composeFailure(args[0], ended)
	}
	return ended.Stdout, nil
}

// reason is one way in which compose fails, told by what it prints: it has no
// codes of its own.
type reason struct{ says, code, remedy string }

func reasons() []reason {
	return []reason{
		{"is not a docker command", "compose_missing", "install docker compose as the command line's plugin, or name its folder in config_folder"},
		{"unknown command: docker compose", "compose_missing", "install docker compose as the command line's plugin, or name its folder in config_folder"},
		{"no configuration file provided", "compose_file_missing", "correct project_dir, or name the files in files"},
		{"no such file or directory", "compose_file_missing", "correct project_dir, or name the files in files"},
		{"no such service", "service_missing", "docker compose config --services shows what there is"},
		{"pull access denied", "image_missing", "build or load the image, or log in to its registry"},
		{"manifest unknown", "image_missing", "correct the image's tag, or push it first"},
		{"No such image", "image_missing", "build or load the image first"},
		{"is unhealthy", "dependency_failed", "see docker.logs of the service that compose names"},
		{"didn't complete successfully", "dependency_failed", "see docker.logs of the service that compose names"},
		{"port is already allocated", "port_taken", "free the port, or publish another"},
		{"address already in use", "port_taken", "free the port, or publish another"},
		{"no space left on device", "disk_full", "make room: docker.disk_usage, and docker.prune"},
		{"connection refused", "registry_unreachable", "check that the registry runs and can be reached from the engine"},
		{"no such host", "registry_unreachable", "check that the registry runs and can be reached from the engine"},
		{"invalid compose project", "compose_file_invalid", "mend the compose file: docker compose config says what is wrong"},
		{"yaml:", "compose_file_invalid", "mend the compose file: docker compose config says what is wrong"},
		{"validating ", "compose_file_invalid", "mend the compose file: docker compose config says what is wrong"},
	}
}

// composeFailure types a command that exited with another code than 0.
func composeFailure(command string, ended program.Ended) *schema.Failure {
	f := sdk.Fail("compose_failed", "docker compose %s exited %d", command, ended.Code)
	f.Remedy = "see the step's log for what compose said"
	if line := program.Last(ended.Stderr); line != "" {
		f.Message = fmt.Sprintf("docker compose %s: %s", command, brief(line))
	}
	for _, known := range reasons() {
		if strings.Contains(ended.Stderr, known.says) {
			f.Code, f.Remedy = known.code, known.remedy
			break
		}
	}
	return f
}
