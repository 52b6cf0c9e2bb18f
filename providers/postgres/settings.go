package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pendingRestartDoc = `Which settings were changed in the configuration and wait for a restart of the server. It is ok when there are none.`

type pendingRestartArgs struct{}

type pendingSetting struct {
	Name  string `runbook:"name" doc:"The setting's name."`
	Value string `runbook:"value" doc:"The value in force, which is not the new one."`
	File  string `runbook:"file" doc:"Configuration file that sets it; empty where this role may not see it."`
}

type pendingRestartResult struct {
	sdk.Result
	Settings []pendingSetting `runbook:"settings" doc:"The settings that wait for a restart."`
}

func (p *provider) pendingRestart(ctx context.Context, _ pendingRestartArgs, _ *sdk.Call) (pendingRestartResult, error) {
	var result pendingRestartResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name, setting, coalesce(sourcefile, '') FROM pg_settings WHERE pending_restart ORDER BY name`)
		if err != nil {
			return err
		}
		result.Settings, err = pgx.CollectRows(rows, pgx.RowToStructByPos[pendingSetting])
		return err
	})
	if err != nil {
		return pendingRestartResult{}, err
	}
	if len(result.Settings) == 0 {
		result.Result = sdk.OK("no setting waits for a restart")
		return result, nil
	}
	names := make([]string, len(result.Settings))
	for i, s := range result.Settings {
		names[i] = s.Name
	}
	result.Result = sdk.NotOK("%s for a restart: %s", phrase.Count(int64(len(names)), "setting waits", "settings wait"), strings.Join(names, ", "))
	return result, nil
}
