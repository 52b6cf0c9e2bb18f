package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const readyDoc = `Whether the server accepts a session of this user in this database, by opening one. It answers ok = false instead of erring.
status is pg_isready's word: accepting, rejecting (starting up, stopping or recovering) or no_response; reason says what stood in the way.`

type readyArgs struct{}

type readyResult struct {
	sdk.Result
	Status          string  `runbook:"status" doc:"accepting, rejecting or no_response."`
	Reason          string  `runbook:"reason" doc:"Why no session could be opened, such as connection_refused, timeout or authentication_failed; empty where one was."`
	Address         string  `runbook:"address" doc:"Host and port that were asked."`
	ServerVersion   string  `runbook:"server_version" doc:"The server's version; empty where no session was opened."`
	Standby         bool    `runbook:"standby" doc:"Whether the server is a standby, which takes no writes."`
	DurationSeconds float64 `runbook:"duration_seconds" doc:"How long the answer took."`
}

func (p *provider) ready(ctx context.Context, _ readyArgs, _ *sdk.Call) (readyResult, error) {
	result := readyResult{Address: p.address()}
	started := time.Now()
	conn, err := p.connect(ctx, purpose{grace: probeCancelGrace})
	if err == nil {
		defer disconnect(ctx, conn)
		result.ServerVersion = conn.PgConn().ParameterStatus("server_version")
		err = p.failure(ctx, conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&result.Standby))
	}
	took := time.Since(started)
	result.DurationSeconds = took.Seconds()
	if err == nil {
		result.Status = "accepting"
		result.Result = sdk.OK("PostgreSQL %s at %s accepts connections (%s)", result.ServerVersion, p.address(), phrase.Round(took))
		return result, nil
	}
	var failure *schema.Failure
	if !errors.As(err, &failure) || failure.Code == "cancelled" || failure.Code == "invalid_configuration" {
		return readyResult{}, err
	}
	result.Reason = failure.Code
	result.Status = status(failure.Code)
	result.Result = sdk.NotOK("%s", failure.Message)
	return result, nil
}

// status is pg_isready's word for a failure: a server that turns this user away
// does accept connections.
func status(code string) string {
	switch code {
	case "not_accepting", "session_terminated":
		return "rejecting"
	case "connection_refused", "timeout", "host_unknown", "connection_failed", "connection_lost", "tls_failed":
		return "no_response"
	}
	return "accepting"
}
