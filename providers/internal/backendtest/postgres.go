package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

const (
	postgresFolders = "/usr/lib/postgresql/*/bin"
	postgresInstall = "apt-get install -y postgresql"
)

// Postgres is a running cluster with password authentication and one
// superuser. It is safe for concurrent use.
type Postgres struct {
	Host     string // loopback address
	Port     int
	User     string // a superuser
	Password string
	Socket   string // folder of the unix socket
	Data     string // the cluster's data folder

	as        *syscall.Credential
	process   *server
	databases atomic.Int64
}

// WithPostgres starts a cluster and stores it in *to.
func WithPostgres(to **Postgres) Backend {
	return func() (func(), error) {
		p, err := StartPostgres()
		if err != nil {
			return nil, err
		}
		*to = p
		return p.Stop, nil
	}
}

// StartPostgres makes a cluster in a folder of its own and starts it without
// fsync, with further settings such as "work_mem=8MB". The caller stops it; should it not, the cluster ends with the process.
func StartPostgres(settings ...string) (*Postgres, error) {
	as, err := unprivileged("postgres")
	if err != nil {
		return nil, err
	}
	initdb, err := binary("initdb", postgresInstall, postgresFolders)
	if err != nil {
		return nil, err
	}
	dir, err := folder(as)
	if err != nil {
		return nil, err
	}
	p := &Postgres{Host: "127.0.0.1", User: "admin", Password: "pg-secret", Socket: dir, Data: filepath.Join(dir, "data"), as: as}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(p.Password), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("write the superuser's password: %w", err), os.RemoveAll(dir))
	}
	initialise := exec.Command(initdb, "-D", p.Data, "-U", p.User, "-A", "scram-sha-256", "--pwfile", secret,
		"--no-sync", "--no-instructions", "-E", "UTF8", "--locale", "C")
	if err := p.run(initialise); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := p.start(settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

// Standby makes a streaming standby of p, which a test can ask for lag.
func (p *Postgres) Standby(t testing.TB) *Postgres {
	t.Helper()
	basebackup, err := binary("pg_basebackup", postgresInstall, postgresFolders)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := folder(p.as)
	if err != nil {
		t.Fatal(err)
	}
	s := &Postgres{Host: p.Host, User: p.User, Password: p.Password, Socket: dir, Data: filepath.Join(dir, "data"), as: p.as}
	copying := exec.Command(basebackup, "-D", s.Data, "-h", p.Host, "-p", strconv.Itoa(p.Port), "-U", p.User, "-R", "-c", "fast", "--no-sync")
	copying.Env = append(os.Environ(), "PGPASSWORD="+p.Password)
	if err := s.run(copying); err != nil {
		os.RemoveAll(dir)
		t.Fatal(err)
	}
	if err := s.start([]string{fmt.Sprintf("primary_conninfo=host=%s port=%d user=%s password=%s application_name=standby", p.Host, p.Port, p.User, p.Password)}); err != nil {
		os.RemoveAll(dir)
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// run runs one of PostgreSQL's tools as the cluster's user.
func (p *Postgres) run(tool *exec.Cmd) error {
	tool.Dir = p.Socket
	tool.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	if output, err := tool.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(tool.Path), err, output)
	}
	return nil
}

func (p *Postgres) start(settings []string) error {
	postgres, err := binary("postgres", postgresInstall, postgresFolders)
	if err != nil {
		return err
	}
	if p.Port, err = freePort(); err != nil {
		return err
	}
	var lines strings.Builder
	for _, setting := range append([]string{"fsync=off", "max_connections=60", "shared_buffers=16MB"}, settings...) {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(&lines, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	// The last line for a setting counts, and none on the command line stands
	// in the way of a test that changes one.
	auto, err := os.OpenFile(filepath.Join(p.Data, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	_, err = auto.WriteString(lines.String())
	if err := errors.Join(err, auto.Close()); err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	command := exec.Command(postgres, "-D", p.Data, "-p", strconv.Itoa(p.Port), "-h", p.Host, "-k", p.Socket)
	command.Dir = p.Socket
	p.process, err = serve(command, p.as, syscall.SIGQUIT, "database system is ready to accept")
	return err
}

// Stop ends the cluster and removes its folder.
func (p *Postgres) Stop() {
	p.process.stop(syscall.SIGQUIT)
	os.RemoveAll(p.Socket)
}

// Database makes an empty database, dropped with the test, and returns its name.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", p.databases.Add(1))
	p.Exec(t, "postgres", "CREATE DATABASE "+name)
	t.Cleanup(func() { p.Exec(t, "postgres", "DROP DATABASE "+name+" WITH (FORCE)") })
	return name
}

// Connect opens a session of the superuser, closed with the test.
func (p *Postgres) Connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), p.URL(database))
	if err != nil {
		t.Fatalf("connect to the test's PostgreSQL: %v", err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Exec runs statements as the superuser, each committed by itself.
func (p *Postgres) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.URL(database))
	if err != nil {
		t.Fatalf("connect to the test's PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// URL is the superuser's connection URL.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=disable", p.User, p.Password, p.Host, p.Port, database)
}

// Drain begins a smart shutdown and returns once the server turns new sessions
// away; those that are open go on until they end.
func (p *Postgres) Drain(t testing.TB) {
	t.Helper()
	if err := p.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("begin a smart shutdown: %v", err)
	}
	for {
		conn, err := pgx.Connect(context.Background(), p.URL("postgres"))
		if err != nil {
			return
		}
		conn.Close(context.Background())
	}
}
