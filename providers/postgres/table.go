package postgres

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// table is a name such as bars or market.bars, in the letter case in which it
// is written. Quote parts that hold a dot: "odd.name".bars.
type table []string

// parseTable reads a name that an argument gives.
func parseTable(argument, name string) (table, *schema.Failure) {
	bad := sdk.InvalidArgument(argument, "%s must be a name such as bars or market.bars, got %q", argument, name)
	var parts table
	for rest := name; ; {
		part, tail, err := namePart(rest)
		if err != nil || part == "" || len(part) > maxNameLength || strings.ContainsRune(part, 0) {
			return nil, bad
		}
		parts = append(parts, part)
		if tail == "" {
			break
		}
		if tail[0] != '.' || len(parts) == 2 {
			return nil, bad
		}
		rest = tail[1:]
	}
	return parts, nil
}

// namePart splits off the first part of a dotted name.
func namePart(text string) (part, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text, '.')
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], nil
	}
	end := afterQuoted(text, 0, false)
	if end < 2 || text[end-1] != '"' {
		return "", "", fmt.Errorf("the quote in %q is not closed", text)
	}
	return strings.ReplaceAll(text[1:end-1], `""`, `"`), text[end:], nil
}

// sql is the name quoted for a statement.
func (t table) sql() string { return pgx.Identifier(t).Sanitize() }

// name is the table's own name, quoted, as a condition may refer to it.
func (t table) name() string { return pgx.Identifier(t[len(t)-1:]).Sanitize() }

// String is the name as people write it.
func (t table) String() string { return strings.Join(t, ".") }

// column quotes a column's name.
func column(name string) string { return pgx.Identifier{name}.Sanitize() }

// resource is the URL of the database or of something in it. A table without a
// schema is taken to be in public, as long as nobody has looked.
func (p *provider) resource(in table) string {
	u := url.URL{
		Scheme: "postgres",
		Host:   net.JoinHostPort(sdk.EffectHost(p.config.Host), strconv.Itoa(p.config.Port)),
		Path:   "/" + p.config.Database,
	}
	switch len(in) {
	case 1:
		u.Path += "/public." + in[0]
	case 2:
		u.Path += "/" + in[0] + "." + in[1]
	}
	return u.String()
}

// psql is the command line that a person would run instead. The password comes
// from PGPASSWORD or ~/.pgpass, or psql asks for it; it is never in argv.
func (p *provider) psql(statements ...string) []string {
	argv := []string{
		"psql", "-h", p.config.Host, "-p", strconv.Itoa(p.config.Port), "-U", p.config.User, "-d", p.config.Database,
		"-X", "-v", "ON_ERROR_STOP=1",
	}
	for _, s := range statements {
		argv = append(argv, "-c", s)
	}
	return argv
}
