package minio

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const healthDoc = `Whether MinIO lives, is ready, and has so many drives that it can write. It is ok when it is all three. It answers ok = false instead of erring;
reason says what stood in the way. It needs no credentials, and so proves none: minio.bucket does.`

type healthArgs struct{}

type healthResult struct {
	sdk.Result
	Reason          string  `runbook:"reason" doc:"Why it is not ok, such as connection_refused, timeout, not_ready, no_quorum or not_minio; empty where it is."`
	Live            bool    `runbook:"live" doc:"Whether the process answers."`
	Ready           bool    `runbook:"ready" doc:"Whether it takes requests."`
	Cluster         bool    `runbook:"cluster" doc:"Whether enough drives are there to write to."`
	WriteQuorum     *int    `runbook:"write_quorum" doc:"How many drives that takes; null where the server does not say."`
	HealingDrives   *int    `runbook:"healing_drives" doc:"How many drives are being healed; null where the server does not say."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long the answers took, connecting included."`
}

func (p *provider) health(ctx context.Context, _ healthArgs, _ *sdk.Call) (healthResult, error) {
	s, err := p.open(ctx, "")
	if err != nil {
		return healthResult{}, err
	}
	defer s.close()
	bounded, stop := reach.Early(ctx)
	defer stop()
	var result healthResult
	started := time.Now()
	err = s.failure(bounded, s.askHealth(bounded, &result))
	took := time.Since(started)
	result.DurationSeconds = took.Seconds()
	var failure *schema.Failure
	switch {
	case errors.As(err, &failure) && failure.Code == "cancelled", err != nil && failure == nil:
		return healthResult{}, err
	case err != nil:
		result.Reason, result.Result = failure.Code, sdk.NotOK("%s", failure.Message)
	case !result.Live:
		result.Reason, result.Result = "not_minio", sdk.NotOK("the server at %s has no health checks of MinIO's", s.host)
	case !result.Cluster:
		result.Reason, result.Result = "no_quorum", sdk.NotOK("MinIO at %s has too few drives to write to", s.host)
	case !result.Ready:
		result.Reason, result.Result = "not_ready", sdk.NotOK("MinIO at %s is not ready", s.host)
	default:
		result.Result = sdk.OK("MinIO at %s is live and ready, and can write (%s)", s.host, phrase.Round(took))
	}
	return result, nil
}

func (s *server) askHealth(ctx context.Context, result *healthResult) error {
	for path, to := range map[string]*bool{"live": &result.Live, "ready": &result.Ready, "cluster": &result.Cluster} {
		answer, err := s.ask(ctx, "/minio/health/"+path)
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		*to = answer.StatusCode == http.StatusOK
		if path == "cluster" {
			result.WriteQuorum = number(answer.Header.Get("X-Minio-Write-Quorum"))
			result.HealingDrives = number(answer.Header.Get("X-Minio-Healing-Drives"))
		}
	}
	return nil
}

func number(text string) *int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return &n
}
