// Package canary puts secrets of many shapes through every door of the real
// program, and then looks for them in every byte that was written or printed.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shapes are what secrets look like, good and bad; each is made unlike all else
// by its number.
var shapes = []string{
	"plainword%02dabcdef", "UPPER%02dLOWERcase", "0%02d98765432101234", "with space %02d inside", "quote'%02d'single",
	`quote"%02d"double`, `back\slash\%02d\n`, "dollar$%02d${HOME}", "percent%%%02d%%41", "amp&%02d=x;y",
	"slash/%02d/path", "plus+%02d+sign=", "tab\t%02d\there", "uni\u00e4\u00f6\u00fc%02d\u00df", "emoji%02d\U0001f511key",
	"-dash%02d-first", "#hash%02d#tag", "tilde~%02d~`tick`", "pipe|%02d|&&true", "<tag>%02d</tag>",
	"[brack%02det]{brace}", "colon:%02d:@host", "star*%02d?glob", "comma,%02d,list", "eyJhbGciOi%02dJIUzI1NiJ9.e30",
	"line one %02d\nline two", "sk-live-%02d-4eC39HqLyjWDarjtT1zdp7dc", "aGVsbG8%02dd29ybGQ=", "deadbeef%02dcafebabe0123", "pa55%02dw0rd!",
}

func secrets() []string {
	all := make([]string, len(shapes))
	for i, shape := range shapes {
		all[i] = fmt.Sprintf(shape, i+10)
	}
	return all
}

// forms are the spellings under which a secret is looked for.
func forms(secret string) map[string]string {
	quoted, _ := json.Marshal(secret) // a string cannot fail
	all := map[string]string{
		"raw":    secret,
		"hex":    hex.EncodeToString([]byte(secret)),
		"HEX":    strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query":  url.QueryEscape(secret),
		"path":   url.PathEscape(secret),
		"json":   strings.Trim(string(quoted), `"`),
		"shell":  "'" + strings.ReplaceAll(secret, "'", `'\''`) + "'",
		"golang": strings.Trim(strconv.Quote(secret), `"`),
	}
	for offset := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, offset), secret...))
			// What the bytes before and after also decide is left out.
			from := []int{0, 2, 3}[offset]
			to := len(text)
			if (offset+len(secret))%3 != 0 {
				to--
			}
			all[fmt.Sprintf("%s at %d", name, offset)] = text[from:to]
		}
	}
	return all
}

// TestNoSecretGetsOut runs everything that prints or writes, with a run full of
// failures, and looks for each secret in each form. Each secret goes through
// one door.
func TestNoSecretGetsOut(t *testing.T) {
	c := newCanary(t, func(secret, door int) bool { return secret%len(doors) == door })
	c.run("providers", "lock", "leaky")
	for _, args := range [][]string{
		{"validate"}, {"plan"}, {"plan", "--json"}, {"plan", "--format", "markdown"}, {"plan", "--out", "saved.plan"},
		{"check"}, {"check", "--json"},
		{"apply", "--auto-approve", "--approve", "all"}, {"resume", "last"}, {"rollback", "last", "--auto-approve"}, {"cancel", "last"},
		{"apply", "--auto-approve", "--approve", "all", "--json"}, {"rollback", "last", "--auto-approve", "--json"},
		{"runs"}, {"runs", "--json"}, {"runs", "show", "last"}, {"runs", "show", "last", "--json"}, {"runs", "verify", "last"},
		{"graph", "--plan", "--format", "mermaid"}, {"locks"}, {"providers", "list"},
	} {
		c.run(args...)
		if args[0] == "cancel" { // which is refused: some steps are unknown
			c.run(append([]string{"rollback", "last", "--auto-approve"}, c.resolved("runbook cancel last")...)...)
			c.run("locks", "release", "last")
		}
	}
	c.search(25)
}

// TestNoSecretGetsOutOfAnyDoor sends each secret through each door.
func TestNoSecretGetsOutOfAnyDoor(t *testing.T) {
	c := newCanary(t, func(int, int) bool { return true })
	c.run("providers", "lock", "leaky")
	c.run("apply", "--auto-approve", "--approve", "all")
	c.run("runs", "show", "last", "--json")
	c.run("runs", "show", "last")
	c.search(5)
}

// resolved says of the steps that a command has found unknown that they failed.
func (c *canary) resolved(command string) []string {
	c.Helper()
	said, _, found := strings.Cut(string(c.found[command]), " of run ")
	var flags []string
	for _, at := range step.FindAllString(said, -1) {
		flags = append(flags, "--resolve", at+"=fail")
	}
	if !found || len(flags) == 0 {
		c.Fatalf("%s names no unknown step: %s", command, c.found[command])
	}
	return flags
}

// step is an address.
var step = regexp.MustCompile(`step\.\w+`)

// canary is a program that knows secrets, and all that it has let out.
type canary struct {
	*testing.T
	program, dir string
	environ      []string
	found        map[string][]byte
}

func newCanary(t *testing.T, through chosen) *canary {
	t.Helper()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/denied" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprintf(w, "%s %s %v %s", r.URL.RawQuery, r.URL.Query().Get("token"), r.Header, body)
	}))
	t.Cleanup(echo.Close)
	tools, dir := t.TempDir(), t.TempDir()
	c := &canary{T: t, program: filepath.Join(tools, "runbook"), dir: dir, found: map[string][]byte{}}
	backends := filepath.Join(tools, "backends")
	for output, source := range map[string]string{
		c.program: "../..", filepath.Join(tools, "runbook-provider-leaky"): "./leaky", backends: "../../../../providers/internal/backendtest/serve",
	} {
		if out, err := exec.Command("go", "build", "-o", output, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	at := startServers(t, backends)
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("postgres://%s:%s@%s:%d/postgres", at.Postgres.User, at.Postgres.Password, at.Postgres.Host, at.Postgres.Port))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE canary (name text CHECK (length(name) < 3))"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.environ = append(write(t, dir, echo.URL, at, through),
		"PATH="+os.Getenv("PATH"), "HOME="+dir, "RUNBOOK_PROVIDER_PATH="+tools, "RUNBOOK_LOG=debug")
	return c
}

// run keeps what a command prints, and what its processes show.
func (c *canary) run(args ...string) {
	c.Helper()
	cmd := exec.Command(c.program, args...)
	cmd.Dir, cmd.Env = c.dir, c.environ
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	stop, watched := make(chan struct{}), make(chan map[string][]byte, 1)
	go func() { watched <- watch(cmd.Process.Pid, c.program, stop) }()
	err := cmd.Wait()
	close(stop)
	name := "runbook " + strings.Join(args, " ")
	for where, text := range <-watched {
		c.found["process "+where+" of "+name] = text
	}
	c.found[name] = out.Bytes()
	c.Logf("%s: %v, %d bytes", name, err, out.Len())
	if out.Len() == 0 {
		c.Errorf("%s printed nothing", name)
	}
}

// search looks for every secret in all that was printed or written, which has to
// be so many places at least.
func (c *canary) search(places int) {
	c.Helper()
	err := filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(c.dir, path)
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "secret") || name == "canary.vars.hcl" {
			return err
		}
		text, err := os.ReadFile(path)
		c.found["file "+name] = text
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	if len(c.found) < places || !bytes.Contains(c.found["runbook runs show last"], []byte("(sensitive)")) {
		c.Errorf("%d places, and what is sensitive is not told: too little to prove anything", len(c.found))
	}
	for n, secret := range secrets() {
		for form, text := range forms(secret) {
			for _, where := range slices.Sorted(maps.Keys(c.found)) {
				content := c.found[where]
				if at := bytes.Index(content, []byte(text)); at >= 0 {
					c.Errorf("secret %d is %s in %s: …%q…", n, form, where, content[max(0, at-60):min(len(content), at+len(text)+20)])
				}
			}
		}
	}
}
