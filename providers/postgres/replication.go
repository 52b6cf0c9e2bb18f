package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const replicationDoc = `How far standbys are behind. Asked on the primary it looks at every standby that is connected: fewer than min_standbys is not ok,
since a standby that has gone away is on no list. Asked on a standby it looks at that one: all that it has received and replayed, and whether it still receives.`

type replicationArgs struct {
	MaxLag      time.Duration `runbook:"max_lag" doc:"The most that a standby may be behind." default:"30s"`
	MinStandbys int64         `runbook:"min_standbys" doc:"How many standbys a primary must have; not used on a standby." default:"1"`
}

type standby struct {
	Application string  `runbook:"application" doc:"The standby's application_name."`
	Address     string  `runbook:"address" doc:"Where it connects from; empty for a unix socket."`
	State       string  `runbook:"state" doc:"streaming, catchup, startup or backup."`
	Sync        string  `runbook:"sync" doc:"async, potential, sync or quorum."`
	LagBytes    int64   `runbook:"lag_bytes" doc:"Bytes of WAL that it has not replayed."`
	LagSeconds  float64 `runbook:"lag_seconds" doc:"Time from the newest WAL's flush here to its replay there, as last measured."`
}

type replicationResult struct {
	sdk.Result
	Role       string    `runbook:"role" doc:"primary or standby."`
	Standbys   []standby `runbook:"standbys" doc:"The connected standbys; on a standby, those that cascade from it."`
	LagBytes   int64     `runbook:"lag_bytes" doc:"The largest lag in bytes; on a standby what it received and has not replayed."`
	LagSeconds float64   `runbook:"lag_seconds" doc:"The largest lag in seconds; on a standby the age of the last transaction replayed, 0 where all is replayed."`
	Receiving  bool      `runbook:"receiving" doc:"On a standby: whether it receives WAL now."`
}

const standbysSQL = `SELECT coalesce(application_name, ''), coalesce(host(client_addr), ''), coalesce(state, ''), coalesce(sync_state, ''),
coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, replay_lsn), -1)::int8,
coalesce(extract(epoch FROM replay_lag), 0)::float8
FROM pg_stat_replication ORDER BY application_name, pid`

const standbySQL = `SELECT coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::int8,
CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), -1) END::float8,
EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')`

func (p *provider) replicationLag(ctx context.Context, args replicationArgs, _ *sdk.Call) (replicationResult, error) {
	result := replicationResult{Role: "primary"}
	err := p.read(ctx, func(tx pgx.Tx) error {
		var recovering bool
		if err := tx.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovering); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, standbysSQL)
		if err != nil {
			return err
		}
		if result.Standbys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[standby]); err != nil || !recovering {
			return err
		}
		result.Role = "standby"
		return tx.QueryRow(ctx, standbySQL).Scan(&result.LagBytes, &result.LagSeconds, &result.Receiving)
	})
	if err != nil {
		return replicationResult{}, err
	}
	if result.Role == "standby" {
		result.Result = result.judgeStandby(args.MaxLag)
	} else {
		result.Result = result.judgePrimary(args)
	}
	return result, nil
}

func (r *replicationResult) judgePrimary(args replicationArgs) sdk.Result {
	behind := ""
	for _, s := range r.Standbys {
		r.LagBytes, r.LagSeconds = max(r.LagBytes, s.LagBytes), max(r.LagSeconds, s.LagSeconds)
		switch {
		case s.LagBytes < 0:
			behind = fmt.Sprintf("how far %s is behind cannot be seen: grant this role pg_monitor", s.Application)
		case s.State != "streaming":
			behind = fmt.Sprintf("%s is in state %s", s.Application, s.State)
		case s.LagSeconds > args.MaxLag.Seconds():
			behind = fmt.Sprintf("%s is %s behind, the limit is %s", s.Application, phrase.Span(s.LagSeconds), args.MaxLag)
		}
	}
	found := int64(len(r.Standbys))
	switch {
	case found < args.MinStandbys:
		return sdk.NotOK("%s connected, %d wanted", phrase.Count(found, "standby is", "standbys are"), args.MinStandbys)
	case behind != "":
		return sdk.NotOK("%s", behind)
	}
	return sdk.OK("%s, at most %s and %d bytes behind", phrase.Count(found, "standby", "standbys"), phrase.Span(r.LagSeconds), r.LagBytes)
}

func (r *replicationResult) judgeStandby(maxLag time.Duration) sdk.Result {
	switch {
	case !r.Receiving:
		return sdk.NotOK("this standby receives no WAL from its primary")
	case r.LagSeconds < 0:
		return sdk.NotOK("this standby has replayed no transaction yet, %d bytes wait", r.LagBytes)
	case r.LagSeconds > maxLag.Seconds():
		return sdk.NotOK("this standby is %s behind, the limit is %s", phrase.Span(r.LagSeconds), maxLag)
	}
	return sdk.OK("this standby is %s and %d bytes behind", phrase.Span(r.LagSeconds), r.LagBytes)
}
