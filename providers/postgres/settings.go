package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pendingRestartDoc = `Which settings were changed in the configuration and wait for a restart of the server. It is ok when there are none, and this role may see them all:
some, such as shared_preload_libraries, are shown only to superusers and to pg_read_all_settings.`

type pendingRestartArgs struct{}

type pendingSetting struct {
	Name     string  `runbook:"name" doc:"The setting's name."`
	Value    string  `runbook:"value" doc:"The value in force."`
	NewValue *string `runbook:"new_value" doc:"The value that a restart brings, as the configuration file writes it; null where this role may not read the files."`
	File     string  `runbook:"file" doc:"Configuration file that sets it; empty where none does, or where this role may not see it."`
}

// String is the setting as a summary names it.
func (s pendingSetting) String() string {
	if s.NewValue == nil {
		return s.Name
	}
	return s.Name + " from " + s.Value + " to " + *s.NewValue
}

type pendingRestartResult struct {
	sdk.Result
	Settings []pendingSetting `runbook:"settings" doc:"The settings that wait for a restart."`
	Complete bool             `runbook:"complete" doc:"Whether this role may see all settings."`
}

const pendingSQL = `SELECT name, current_setting(name), NULL::text, coalesce(sourcefile, '') FROM pg_settings WHERE pending_restart ORDER BY name`

// filedSQL also reads the files as they are now. The last line for a setting
// counts; one that no line is left for gets its default back.
const filedSQL = `SELECT s.name, current_setting(s.name), coalesce(f.setting, s.boot_val || coalesce(' ' || s.unit, '')), coalesce(f.sourcefile, s.sourcefile, '')
FROM pg_settings s LEFT JOIN LATERAL
 (SELECT setting, sourcefile FROM pg_file_settings f WHERE lower(f.name) = lower(s.name) ORDER BY seqno DESC LIMIT 1) f ON true
WHERE s.pending_restart ORDER BY s.name`

func (p *provider) pendingRestart(ctx context.Context, _ pendingRestartArgs, _ *sdk.Call) (pendingRestartResult, error) {
	var result pendingRestartResult
	err := p.read(ctx, func(tx pgx.Tx) error {
		var files bool
		err := tx.QueryRow(ctx, `SELECT pg_has_role('pg_read_all_settings', 'USAGE'),
has_table_privilege('pg_file_settings', 'SELECT') AND has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')`).Scan(&result.Complete, &files)
		if err != nil {
			return err
		}
		query := pendingSQL
		if files {
			query = filedSQL
		}
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		result.Settings, err = pgx.CollectRows(rows, pgx.RowToStructByPos[pendingSetting])
		return err
	})
	if err != nil {
		return pendingRestartResult{}, err
	}
	named := make([]string, len(result.Settings))
	for i, s := range result.Settings {
		named[i] = s.String()
	}
	switch {
	case len(named) > 0:
		result.Result = sdk.NotOK("%s for a restart: %s", phrase.Count(int64(len(named)), "setting waits", "settings wait"), strings.Join(named, ", "))
	case !result.Complete:
		result.Result = sdk.NotOK("no setting that this role may see waits for a restart; to see all, grant it pg_read_all_settings")
	default:
		result.Result = sdk.OK("no setting waits for a restart")
	}
	return result, nil
}
