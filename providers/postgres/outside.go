package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
)

// writesOutside names the first function in the text that acts outside of
// transactions, so that READ ONLY does not stop it and no ROLLBACK takes it
// back; "" where there is none. Functions of the database's own are not known.
func writesOutside(sql string) string {
	named := []string{
		"dblink", "lo_export", "lo_import", "pg_backup_start", "pg_backup_stop", "pg_cancel_backend", "pg_logical_emit_message",
		"pg_notify", "pg_promote", "pg_reload_conf", "pg_replication_slot_advance", "pg_rotate_logfile", "pg_start_backup",
		"pg_stat_statements_reset", "pg_stop_backup", "pg_switch_wal", "pg_sync_replication_slots", "pg_terminate_backend",
		"pg_wal_replay_pause", "pg_wal_replay_resume",
	}
	families := []string{
		"dblink_", "pg_copy_logical_", "pg_copy_physical_", "pg_create_", "pg_drop_", "pg_file_", "pg_log_", "pg_logical_slot_get_", "pg_stat_reset",
	}
	for _, token := range tokens(sql) {
		name := strings.Trim(token, `"`)
		if slices.Contains(named, name) || slices.ContainsFunc(families, func(start string) bool { return strings.HasPrefix(name, start) }) {
			return name
		}
	}
	return ""
}

// looksOnly refuses a text that a look hands to the server if it calls what
// READ ONLY would let through.
func looksOnly(argument, text string) *schema.Failure {
	name := writesOutside(text)
	if name == "" {
		return nil
	}
	return &schema.Failure{
		Code:     "read_only_violation",
		Message:  fmt.Sprintf("a look only reads, and %s() acts outside of the transaction", name),
		Remedy:   "call it in the action postgres.execute; postgres.terminate_idle ends sessions",
		Argument: argument,
	}
}

// notTakenBack is the error of a statement that began, no longer clean where
// the statement calls what a rollback does not undo.
func notTakenBack(err error, sql string) error {
	name := writesOutside(sql)
	var f *schema.Failure
	if name == "" || !errors.As(err, &f) || f.Code == "commit_unknown" {
		return err
	}
	said := *f
	said.Message += fmt.Sprintf("; %s() may have acted all the same", name)
	return &said
}
