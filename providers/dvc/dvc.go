// Package dvc looks after the data of a DVC repository: whether what it tracks
// lies in the workspace, in the cache and in its remotes, and the pushes, pulls
// and runs of the pipeline that put that right.
//
// What changes something is done by DVC's own command line, one command at a
// time. What is only looked at is mostly looked at here: the provider reads DVC's
// files as the workspace or any git revision has them, and asks cache and remote
// for each object, since DVC takes a directory for complete where only its list
// arrived, calls what is gone a warning, and exits 0. Remotes are folders and S3.
package dvc

import (
	"context"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is which repository, and how to run its DVC.
type Config struct {
	Repo           string                `runbook:"repo" default:"." doc:"Folder of the DVC repository, which holds .dvc. A relative one starts from the runbook's folder."`
	DVC            string                `runbook:"dvc" default:"dvc" doc:"The dvc program, version 3. A relative path, such as .venv/bin/dvc, starts from the runbook's folder; a name is looked up in PATH."`
	Git            string                `runbook:"git" default:"git" doc:"The git program, for finding DVC's files and for looking at revisions."`
	Env            map[string]string     `runbook:"env,optional,sensitive" doc:"Environment variables for DVC and the commands of stages. Nothing is inherited but PATH and HOME."`
	Credentials    map[string]credential `runbook:"credentials,optional,sensitive" doc:"Keys of S3 remotes, by the remote's name. DVC reads them from a file that only this user can read and that lasts as long as the command; what .dvc/config and .dvc/config.local say comes first."`
	ConnectTimeout time.Duration         `runbook:"connect_timeout" default:"10s" doc:"Bound of connecting to a remote; an answer may take three times as long to begin."`
}

// credential is the key of one S3 remote.
type credential struct {
	AccessKey    string `runbook:"access_key_id" doc:"Access key."`
	SecretKey    string `runbook:"secret_access_key" doc:"Secret key."`
	SessionToken string `runbook:"session_token,optional" doc:"Token of temporary credentials."`
}

type provider struct {
	config Config
}

// Provider serves dvc.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "dvc", Version: "0.1.0",
		Doc:       "Looks after the data of a DVC repository: what its workspace, cache and remotes really hold, and what is lost.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("status", statusDoc, p.status),
			sdk.NewProbe("remote_status", remoteStatusDoc, p.remoteStatus),
			sdk.NewProbe("remotes", remotesDoc, p.remotes),
			sdk.NewProbe("file_hash", fileHashDoc, p.fileHash),
			sdk.NewProbe("lock_held", lockHeldDoc, p.lockHeld),
		},
		Actions: []sdk.Action{
			sdk.NewAction("push", pushDoc, p.push,
				sdk.Describe(p.describePush), sdk.Preview(p.previewPush),
				sdk.Idempotent, sdk.Counts("objects", "bytes"), sdk.Enforces("objects", "bytes")),
			sdk.NewAction("fetch", fetchDoc, p.fetch,
				sdk.Describe(p.describeFetch), sdk.Preview(p.previewFetch),
				sdk.Idempotent, sdk.Counts("objects", "bytes"), sdk.Enforces("objects", "bytes")),
			sdk.NewAction("pull", pullDoc, p.pull,
				sdk.Describe(p.describePull), sdk.Preview(p.previewPull),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects", "bytes", "files", "changes"), sdk.Enforces("objects", "bytes", "files", "changes")),
			sdk.NewAction("checkout", checkoutDoc, p.checkout,
				sdk.Describe(p.describeCheckout), sdk.Preview(p.previewCheckout),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("files", "changes"), sdk.Enforces("files", "changes")),
			sdk.NewAction("repro", reproDoc, p.repro,
				sdk.Describe(p.describeRepro), sdk.Preview(p.previewRepro),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("stages"), sdk.Enforces("stages")),
			sdk.NewAction("gc", gcDoc, p.gc,
				sdk.Describe(p.describeGC), sdk.Preview(p.previewGC),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("objects", "bytes"), sdk.Enforces("objects", "bytes")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	for argument, value := range map[string]string{"repo": c.Repo, "dvc": c.DVC, "git": c.Git} {
		if value == "" {
			return sdk.InvalidArgument(argument, "%s is empty", argument)
		}
	}
	if c.ConnectTimeout <= 0 {
		return sdk.InvalidArgument("connect_timeout", "connect_timeout must be positive, got %s", c.ConnectTimeout)
	}
	for name, value := range c.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return sdk.InvalidArgument("env", "a variable in env has a name or value that no environment can hold")
		}
	}
	for remote, key := range c.Credentials {
		if strings.ContainsAny(remote+key.AccessKey+key.SecretKey+key.SessionToken, "\"'\r\n\x00") {
			return sdk.InvalidArgument("credentials", "the name or the key of a remote holds a quote or a line break")
		}
	}
	c.Repo = sdk.Path(ctx, c.Repo)
	for _, program := range []*string{&c.DVC, &c.Git} {
		if strings.Contains(*program, "/") { // else it is looked up in PATH
			*program = sdk.Path(ctx, *program)
		}
	}
	p.config = c
	return nil
}
