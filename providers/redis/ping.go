package redis

import (
	"context"
	"errors"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pingDoc = `Whether the server answers PING to this user in this database. It answers ok = false instead of erring; reason says what stood in the way.`

type pingArgs struct{}

type pingResult struct {
	sdk.Result
	Reason          string  `runbook:"reason" doc:"Why there was no answer, such as connection_refused, timeout, authentication_failed or loading; empty where there was one."`
	Address         string  `runbook:"address" doc:"Host and port that were asked."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long the answer took, connecting and logging in included."`
}

func (p *provider) ping(ctx context.Context, _ pingArgs, _ *sdk.Call) (pingResult, error) {
	result := pingResult{Address: p.address()}
	started := time.Now()
	_, done, err := p.connect(ctx)
	took := time.Since(started)
	result.DurationSeconds = took.Seconds()
	if err == nil {
		done()
		result.Result = sdk.OK("Redis at %s answers (%s)", p.address(), phrase.Round(took))
		return result, nil
	}
	var failure *schema.Failure
	if !errors.As(err, &failure) || failure.Code == "cancelled" {
		return pingResult{}, err
	}
	result.Reason = failure.Code
	result.Result = sdk.NotOK("%s", failure.Message)
	return result, nil
}
