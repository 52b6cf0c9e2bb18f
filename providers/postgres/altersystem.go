package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const alterSystemDoc = `Sets one setting of the whole server by ALTER SYSTEM, or takes it out of postgresql.auto.conf again, and has the server read its files.
The value before is in the result, and in the log before anything is changed: previous is what to give for the way back. A setting that only a restart brings
into force is written and shown as pending_restart. A value that the server does not take fails and changes nothing. Doing it again is harmless.`

type alterSystemArgs struct {
	Name   string   `runbook:"name" doc:"The setting's name, such as work_mem."`
	Value  *string  `runbook:"value" doc:"The new value, such as 64MB or on; without value and values the setting is taken out of postgresql.auto.conf."`
	Values []string `runbook:"values,optional" doc:"The new value of a setting that holds a list, such as shared_preload_libraries. Either this or value."`
}

type alterSystemResult struct {
	sdk.Result
	Previous       *string `runbook:"previous" doc:"What postgresql.auto.conf held before; null where it held nothing, which is got back without value."`
	Before         string  `runbook:"before" doc:"The value that was in force before."`
	Value          string  `runbook:"value" doc:"The value in force now."`
	PendingRestart bool    `runbook:"pending_restart" doc:"Whether a restart of the server has to bring it into force."`
	Changed        bool    `runbook:"changed" doc:"Whether postgresql.auto.conf holds something else than before."`
}

// applyPatience bounds the wait for a server that reads its files.
const applyPatience = 10 * time.Second

func (args alterSystemArgs) validate() *schema.Failure {
	switch {
	case !settingName(args.Name):
		return sdk.InvalidArgument("name", "%q is not the name of a setting, such as work_mem", args.Name)
	case args.Value != nil && len(args.Values) > 0:
		return sdk.InvalidArgument("values", "value and values are both given; one of them is set")
	}
	return nil
}

// settingName tells whether a text can be a setting's name, of an extension's
// too: it becomes part of the statement.
func settingName(name string) bool {
	if name == "" || len(name) > maxNameLength {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.'
	}) < 0
}

func (args alterSystemArgs) statement() string {
	name := column(args.Name)
	if prefix, rest, dotted := strings.Cut(args.Name, "."); dotted {
		name = column(prefix) + "." + column(rest)
	}
	switch {
	case args.Value != nil:
		return "ALTER SYSTEM SET " + name + " = " + literal(*args.Value)
	case len(args.Values) > 0:
		quoted := make([]string, len(args.Values))
		for i, v := range args.Values {
			quoted[i] = literal(v)
		}
		return "ALTER SYSTEM SET " + name + " = " + strings.Join(quoted, ", ")
	}
	return "ALTER SYSTEM RESET " + name
}

// settingNow is a setting as the server has it, and as postgresql.auto.conf says.
type settingNow struct {
	value, context string
	filed          *string
	pending        bool
}

const settingSQL = `SELECT current_setting(s.name), s.context, s.pending_restart,
(SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(s.name) AND f.sourcefile LIKE '%/postgresql.auto.conf' ORDER BY f.seqno DESC LIMIT 1)
FROM pg_settings s WHERE lower(s.name) = lower($1::text)`

func lookUp(ctx context.Context, from querier, name string) (settingNow, error) {
	var s settingNow
	err := from.QueryRow(ctx, settingSQL, name).Scan(&s.value, &s.context, &s.pending, &s.filed)
	if errors.Is(err, pgx.ErrNoRows) {
		f := sdk.InvalidArgument("name", "the server has no setting %s", name)
		f.Code = "undefined_setting"
		f.Remedy = "check the name; a setting of an extension is known once the extension is loaded"
		return s, f
	}
	return s, err
}

// secret is how a setting such as primary_conninfo holds a password.
var secret = regexp.MustCompile(`(?i)password\s*=|://[^/\s:]*:[^/\s]*@`)

// before is the setting as it is. One that holds a password is refused, before
// and after: both would be in the log and in the run's record.
func (args alterSystemArgs) before(ctx context.Context, from querier) (settingNow, error) {
	s, err := lookUp(ctx, from, args.Name)
	if err != nil {
		return s, err
	}
	texts := append([]string{s.value}, args.Values...)
	for _, text := range []*string{args.Value, s.filed} {
		if text != nil {
			texts = append(texts, *text)
		}
	}
	if slices.ContainsFunc(texts, secret.MatchString) {
		f := sdk.InvalidArgument("name", "%s holds a password, which would be in the run's record", args.Name)
		f.Code, f.Remedy = "holds_secret", "keep the password in a passfile, or change the setting by exec.run"
		return s, f
	}
	return s, nil
}

func (p *provider) alterSystem(ctx context.Context, args alterSystemArgs, call *sdk.Call) (alterSystemResult, error) {
	if f := args.validate(); f != nil {
		return alterSystemResult{}, sdk.Clean(f)
	}
	conn, err := p.connect(ctx, purpose{grace: actionCancelGrace})
	if err != nil {
		return alterSystemResult{}, sdk.Clean(err)
	}
	defer disconnect(ctx, conn)
	before, err := args.before(ctx, conn)
	if err != nil {
		return alterSystemResult{}, sdk.Clean(p.failure(ctx, err))
	}
	call.Logf("%s was %s; postgresql.auto.conf held %s", args.Name, before.value, held(before.filed))
	var now time.Time
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return alterSystemResult{}, sdk.Clean(p.failure(ctx, err))
	}
	if _, err := conn.Exec(ctx, args.statement()); err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) {
			return alterSystemResult{}, sdk.Clean(p.failure(ctx, err))
		}
		return alterSystemResult{}, p.sent(ctx, err)
	}
	if _, err := conn.Exec(ctx, "SELECT pg_reload_conf()"); err != nil {
		return alterSystemResult{}, p.failure(ctx, err)
	}
	after, err := p.applied(ctx, args.Name, now)
	if err != nil {
		return alterSystemResult{}, p.failure(ctx, err)
	}
	result := alterSystemResult{
		Previous: before.filed, Before: before.value, Value: after.value, PendingRestart: after.pending,
		Changed: held(before.filed) != held(after.filed),
	}
	what := fmt.Sprintf("%s is %s, and was %s", args.Name, after.value, before.value)
	if after.pending {
		what = fmt.Sprintf("%s is %s until the server is restarted, and then %s", args.Name, after.value, held(after.filed))
	}
	result.Result = sdk.OK("%s", what)
	return result, nil
}

// applied waits until the server has read its files since a time, and looks with
// a session that began afterwards.
func (p *provider) applied(ctx context.Context, name string, since time.Time) (settingNow, error) {
	ctx, cancel := context.WithTimeout(ctx, applyPatience)
	defer cancel()
	for {
		conn, err := p.connect(ctx, purpose{grace: probeCancelGrace})
		if err != nil {
			return settingNow{}, err
		}
		var read bool
		err = conn.QueryRow(ctx, "SELECT pg_conf_load_time() >= $1", since).Scan(&read)
		var s settingNow
		if err == nil && read {
			s, err = lookUp(ctx, conn, name)
		}
		disconnect(ctx, conn)
		if err != nil || read {
			return s, err
		}
		select {
		case <-ctx.Done():
			return settingNow{}, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// held is what a file holds of a setting.
func held(setting *string) string {
	if setting == nil {
		return "nothing"
	}
	return "'" + *setting + "'"
}

func (p *provider) describeAlterSystem(args alterSystemArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{{Resource: p.server(), Mode: schema.Write}}, Summary: "changes a setting of the server"}
	if call.Unknown("name") {
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Effects[0].Resource += "pg_settings/" + args.Name
	d.Summary = "changes the setting " + args.Name + " of the server"
	if call.Unknown("value") || call.Unknown("values") {
		return d
	}
	d.Command = p.psql(args.statement(), "SELECT pg_reload_conf()")
	return d
}

// server is the URL of the server, under which all its databases lie.
func (p *provider) server() string {
	there := provider{config: p.config}
	there.config.Database = ""
	return there.resource(nil)
}

func (p *provider) previewAlterSystem(ctx context.Context, args alterSystemArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	var s settingNow
	err := p.read(ctx, func(tx pgx.Tx) (err error) {
		s, err = args.before(ctx, tx)
		return err
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	to := "its value from elsewhere"
	switch {
	case args.Value != nil:
		to = "'" + *args.Value + "'"
	case len(args.Values) > 0:
		to = "'" + strings.Join(args.Values, "', '") + "'"
	}
	seen := sdk.PreviewResult{Summary: fmt.Sprintf("changes %s from %s to %s; postgresql.auto.conf holds %s", args.Name, s.value, to, held(s.filed))}
	switch s.context {
	case "postmaster":
		seen.Summary += "; only a restart brings it into force"
	case "internal":
		return sdk.PreviewResult{}, sdk.InvalidArgument("name", "%s cannot be changed", args.Name)
	}
	return seen, nil
}
