package postgres

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// tool is one of PostgreSQL's own programs, for the formats that only they know.
type tool struct {
	name string
	path string
}

// tool finds a program in the configured folder, or in PATH.
func (p *provider) tool(name string) (tool, *schema.Failure) {
	path := name
	if p.config.BinDir != "" {
		path = filepath.Join(p.path(p.config.BinDir), name)
	}
	found, err := exec.LookPath(path)
	if err != nil {
		f := sdk.Fail("tool_missing", "there is no program %s", path)
		f.Remedy = "install PostgreSQL's client programs, or name their folder as bin_dir"
		return tool{}, f
	}
	return tool{name, found}, nil
}

// connection are the arguments and the environment by which a tool reaches the
// server. The password is in the environment alone.
func (p *provider) connection(application string) (argv, env []string) {
	argv = []string{"-h", p.config.Host, "-p", strconv.Itoa(p.config.Port), "-U", p.config.User, "-w"}
	env = []string{
		"PGAPPNAME=" + application, "PGSSLMODE=" + p.config.SSLMode,
		"PGCONNECT_TIMEOUT=" + strconv.Itoa(max(1, int(p.config.ConnectTimeout.Seconds()))), "LC_ALL=C", "TZ=UTC",
	}
	if p.config.SSLRootCert != "" {
		env = append(env, "PGSSLROOTCERT="+p.config.SSLRootCert)
	}
	if p.config.Password != "" {
		env = append(env, "PGPASSWORD="+p.config.Password)
	}
	return argv, env
}

// run runs the tool to its end and gives what it printed. What it says goes to
// the log. A bad end of its own is a *toolError, any other a typed failure.
func (t tool) run(ctx context.Context, call *sdk.Call, env []string, args ...string) (string, error) {
	ended, err := program.Program{
		Argv: []string{t.path}, Argument: "bin_dir", Remedy: "install PostgreSQL's client programs, or name their folder as bin_dir",
		Env: env, Log: func(line string) { call.Logf("%s", line) }, Cut: t.name + " was at work",
	}.Run(ctx, call, args...)
	if err != nil {
		return "", err
	}
	if ended.Code != 0 {
		return "", &toolError{tool: t.name, code: ended.Code, said: strings.TrimSpace(ended.Stderr)}
	}
	return string(ended.Stdout), nil
}

// sessionOptions has the server end a tool's work soon after the tool is gone,
// where the server can.
func sessionOptions(conn *pgx.Conn) string {
	if version, err := serverVersion(conn); err == nil && version >= 14 {
		return "PGOPTIONS=-c client_connection_check_interval=1000"
	}
	return "PGOPTIONS="
}

// endSessions ends what a tool that was stopped has left at work on the server.
// Where that fails the server notices by itself that its client is gone.
func endSessions(ctx context.Context, conn *pgx.Conn, application string) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionCancelGrace)
	defer cancel()
	_, _ = conn.Exec(patient, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()`, application)
}

// toolError is the bad end of a tool.
type toolError struct {
	tool string
	code int
	said string // the end of its standard error
}

func (e *toolError) Error() string {
	line, _, _ := strings.Cut(e.said, "\n")
	if line == "" {
		return fmt.Sprintf("%s exited %d", e.tool, e.code)
	}
	return strings.TrimPrefix(line, "pg_restore: error: ")
}

// ended types what became of a tool.
func (p *provider) ended(ctx context.Context, err error) *schema.Failure {
	var tool *toolError
	var typed *schema.Failure
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return &schema.Failure{
			Code: "timeout", Retryable: true, Message: "it did not finish in time and was stopped",
			Remedy: "raise the timeout, or look for what it waits on with postgres.locks",
		}
	case ctx.Err() != nil:
		return sdk.Fail("cancelled", "it was cancelled and stopped")
	case errors.Is(err, syscall.ENOSPC):
		f := sdk.Fail("disk_full", "%v", err)
		f.Remedy = "make room on the disk"
		return f
	case errors.As(err, &typed):
		return typed
	case !errors.As(err, &tool):
		return sdk.Fail("failed", "%v", err)
	}
	f := sdk.Fail("tool_failed", "%s failed: %v", tool.tool, tool)
	f.Remedy = "see the step's log for all that it said"
	for code, sign := range map[string][2]string{
		"version_mismatch":  {"server version mismatch", "use the client programs of the server's version: name their folder as bin_dir"},
		"undefined_table":   {"no matching tables were found", "check the names in tables"},
		"undefined_schema":  {"no matching schemas were found", "check the names in schemas"},
		"permission_denied": {"permission denied", fmt.Sprintf("grant the role %s what it needs, or use another role", p.config.User)},
		"lock_timeout":      {"lock timeout", "see postgres.locks for who holds the lock"},
		"disk_full":         {"No space left on device", "make room on the disk"},
		"not_an_archive":    {"not appear to be a valid archive", "dump again: the file is no archive of pg_dump, or is damaged"},
	} {
		if strings.Contains(tool.said, sign[0]) {
			f.Code, f.Remedy = code, sign[1]
		}
	}
	return f
}
