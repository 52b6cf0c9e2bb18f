package dvc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const remotesDoc = `The remotes that the repository's configuration names. It is ok where there is one at least. It asks none of them: that is dvc.remote_status.`

type noArgs struct{}

type remotesResult struct {
	sdk.Result
	Default string       `runbook:"default" doc:"The remote that is used where none is named; empty where there is none."`
	Remotes []remoteInfo `runbook:"remotes" doc:"The remotes by name."`
}

type remoteInfo struct {
	Name     string `runbook:"name" doc:"Name of the remote."`
	URL      string `runbook:"url" doc:"Folder or URL, without user name and password."`
	Kind     string `runbook:"kind" doc:"folder, s3, or another scheme, which this provider cannot look into."`
	Endpoint string `runbook:"endpoint" doc:"URL of the S3 server; empty for others, and for Amazon's own."`
}

func (p *provider) remotes(_ context.Context, _ noArgs, call *sdk.Call) (remotesResult, error) {
	r, err := p.open(call)
	if err != nil {
		return remotesResult{}, err
	}
	found := remotesResult{Default: r.settings.standard}
	names := slices.Sorted(maps.Keys(r.settings.remotes))
	for _, name := range names {
		remote := r.settings.remotes[name]
		kind, _, isURL := strings.Cut(remote["url"], "://")
		if !isURL {
			kind = "folder"
		}
		found.Remotes = append(found.Remotes, remoteInfo{name, shownURL(remote), kind, shownURL(map[string]string{"url": remote["endpointurl"]})})
	}
	if len(names) == 0 {
		found.Result = sdk.NotOK("the repository has no remote")
		return found, nil
	}
	found.Result = sdk.OK("%s: %s", phrase.Count(int64(len(names)), "remote", "remotes"), strings.Join(names, ", "))
	if found.Default != "" {
		found.Summary += fmt.Sprintf("; %s is the default", found.Default)
	}
	return found, nil
}
