package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/schema"
)

// serverFailure types what the server answered, by its SQLSTATE.
func (p *provider) serverFailure(said *pgconn.PgError) *schema.Failure {
	f := &schema.Failure{Message: fmt.Sprintf("PostgreSQL at %s: %s", p.address(), sentence(said))}
	switch said.Code {
	case "28P01":
		f.Code = "authentication_failed"
		f.Remedy = "correct user or password in the provider block"
	case "28000":
		f.Code = "authentication_failed"
		f.Remedy = "the server's pg_hba.conf must let this user reach this database from here"
	case "3D000":
		f.Code = "database_missing"
		f.Remedy = fmt.Sprintf("create the database %s, or correct database in the provider block", p.config.Database)
	case "42P01":
		f.Code = "undefined_table"
		f.Remedy = "check the name, its schema, and that the provider's database is the right one"
	case "42703":
		f.Code = "undefined_column"
		f.Remedy = "check the column's name; names in double quotes keep their letter case"
	case "42883":
		f.Code = "undefined_function"
		f.Remedy = "check the name and the types of its arguments"
	case "3F000":
		f.Code = "undefined_schema"
		f.Remedy = "check the schema's name"
	case "42P02", "08P01":
		f.Code = "invalid_params"
		f.Remedy = "give one element of params for each of $1, $2 …"
	case "42501":
		f.Code = "permission_denied"
		f.Remedy = fmt.Sprintf("grant the role %s what it needs, or use another role", p.config.User)
	case "42601":
		f.Code = "syntax_error"
		f.Remedy = "correct the statement; only one statement is allowed"
	case "25006":
		f.Code = "read_only_violation"
		f.Remedy = "a probe changes nothing: write with the action postgres.execute; a standby takes no writes at all"
	case "25001":
		f.Code = "not_in_transaction"
		f.Remedy = "this command cannot run in a transaction; use postgres.vacuum or postgres.reindex where they fit"
	case "53300":
		f.Code, f.Retryable = "too_many_connections", true
		f.Remedy = "see postgres.connections for who holds them; postgres.terminate_idle ends idle ones"
	case "57P03":
		f.Code, f.Retryable = "not_accepting", true
		f.Remedy = "wait: the server is starting, stopping or recovering"
	case "57P01", "57P02", "57P05":
		f.Code, f.Retryable = "session_terminated", true
		f.Remedy = "see the server's log for who ended the session"
	case "55P03":
		f.Code, f.Retryable = "lock_timeout", true
		f.Remedy = "see postgres.locks for who holds the lock"
	case "40001", "40P01":
		f.Code, f.Retryable = "conflict", true
		f.Remedy = "another transaction was in the way: try again"
	case "57014":
		f.Code, f.Retryable = "cancelled", true
	default:
		f.Code, f.Remedy = classOf(said.Code)
	}
	return f
}

// classOf covers the SQLSTATEs that have no line of their own.
func classOf(state string) (code, remedy string) {
	switch {
	case strings.HasPrefix(state, "08"):
		return "connection_lost", "see the server's log"
	case strings.HasPrefix(state, "22"):
		return "invalid_value", "check the values and the columns' types"
	case strings.HasPrefix(state, "23"):
		return "constraint_violation", "the data does not fit the table's constraints"
	case strings.HasPrefix(state, "42"):
		return "invalid_statement", "correct the statement"
	case strings.HasPrefix(state, "53"):
		return "server_exhausted", "the server is short of memory, disk or connections"
	}
	return "postgres_error", ""
}

// sentence is the server's message with what helps to find the place.
func sentence(said *pgconn.PgError) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (SQLSTATE %s)", said.Message, said.Code)
	if said.Position > 0 {
		fmt.Fprintf(&text, " at character %d", said.Position)
	}
	if said.Detail != "" {
		fmt.Fprintf(&text, ": %s", said.Detail)
	}
	if said.Hint != "" {
		fmt.Fprintf(&text, " (hint: %s)", said.Hint)
	}
	return text.String()
}
