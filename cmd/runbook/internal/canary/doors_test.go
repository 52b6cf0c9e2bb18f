package canary

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// doors are the ways that a secret takes: into a step of the runbook, and through
// it. $V is the variable that holds it, $N its number.
var doors = []string{
	`action "exec.run" {
    argv    = ["cat"]
    stdin   = $V
    effects = []
  }
  rollback {
    action "exec.run" {
      argv    = ["sh", "-c", "cat >&2; exit 3"]
      stdin   = $V
      effects = []
    }
  }`,
	`action "exec.run" {
    script  = <<-EOT
      printf %s "$S" | base64 -w0; echo; printf 'x%s' "$S" | base64 -w0; echo; printf 'xy%s' "$S" | base64 -w0; echo
      printf %s "$S" | od -An -tx1 | tr -d ' \n' >&2; echo >&2; echo "failed with $S" >&2; exit 3
    EOT
    env     = { S = $V }
    effects = []
  }`,
	`precondition "echo" {
    probe "http.get" {
      url   = "${var.echo}/"
      query = { token = $V }
    }
    assert  = length(result.body) < 3
    message = "it said ${result.body} to ${$V}"
  }
  action "core.log" {
    message = "unreached"
  }`,
	`precondition "closed" {
    probe "http.get" {
      url      = "http://127.0.0.1:1/"
      query    = { token = $V }
      password = $V
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	`action "http.request" {
    url      = "${var.echo}/denied"
    username = "ann"
    password = $V
    headers  = { X-Token = $V }
    body     = $V
  }`,
	`precondition "socket" {
    probe "http.websocket" {
      url   = "ws${substr(var.echo, 4, -1)}/denied"
      query = { token = $V }
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	`action "core.log" {
    message = "logged ${$V} and ${base64encode($V)}"
  }
  verify "never" {
    assert  = self.result.summary == $V
    message = "not ${$V}"
  }`,
	`action "leaky.fail" {
    text = $V
  }`,
	`action "leaky.panic" {
    text = $V
  }`,
	`action "leaky.crash" {
    text = $V
  }`,
	`action "leaky.die" {
    text = $V
  }`,
	`action "leaky.garble" {
    text = $V
  }`,
	`probe "leaky.tell" {
    text = $V
  }`,
	// No server at all.
	`precondition "login" {
    probe "postgres.query" {
      sql    = "SELECT $1"
      params = [$V]
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	// The server itself says that the password is wrong.
	`precondition "login" {
    probe "postgres.query" {
      provider = postgres.as_$N
      sql      = "SELECT 1"
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	`precondition "login" {
    probe "redis.get" {
      provider = redis.as_$N
      key      = "x"
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	// The server repeats what it cannot read.
	`precondition "number" {
    probe "postgres.query" {
      provider = postgres.real
      sql      = "SELECT $1::int"
      params   = [$V]
    }
  }
  action "core.log" {
    message = "unreached"
  }`,
	// The server shows the row that it refuses.
	`action "postgres.execute" {
    provider = postgres.real
    sql      = "INSERT INTO canary (name) VALUES ($1)"
    params   = [$V]
  }`,
	// The answer is the secret itself, in a result that nobody called sensitive.
	`probe "postgres.query" {
    provider = postgres.real
    sql      = "SELECT $1::text AS said, encode(convert_to($1::text, 'UTF8'), 'hex') AS hex"
    params   = [$V]
  }`,
	`action "redis.set" {
    provider = redis.real
    key      = $V
    value    = $V
  }
  verify "kept" {
    probe "redis.get" {
      provider = redis.real
      key      = $V
    }
    assert  = result.value == "something else"
    message = "it holds ${result.value}"
  }`,
}

// chosen says whether a secret goes through a door.
type chosen func(secret, door int) bool

// write makes the runbook and the files that its secrets come from; what it
// returns is the program's environment.
func write(t *testing.T, dir, echo string, at servers, through chosen) (environ []string) {
	t.Helper()
	var b, values strings.Builder
	b.WriteString("runbook \"canary\" {\n  on_failure = \"continue\"\n}\nvariable \"echo\" {}\n" +
		"provider \"postgres\" {\n  host     = \"127.0.0.1\"\n  port     = 1\n  database = \"x\"\n  user     = \"x\"\n  password = var.s29\n}\n" +
		"provider \"leaky\" {\n  token = var.s28\n}\n" + at.postgres("real", `"`+at.Postgres.Password+`"`) + at.redis("real", `"`+at.Redis.Password+`"`))
	for n, secret := range secrets() {
		from := ""
		switch n % 4 {
		case 0:
			from = fmt.Sprintf("  env       = \"CANARY_%d\"\n", n)
			environ = append(environ, fmt.Sprintf("CANARY_%d=%s", n, secret))
		case 1:
			from = fmt.Sprintf("  file      = \"secret%d\"\n", n)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("secret%d", n)), []byte(secret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		case 2:
			environ = append(environ, fmt.Sprintf("RUNBOOK_VAR_s%d=%s", n, secret))
		case 3:
			text := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(secret)
			fmt.Fprintf(&values, "s%d = \"%s\"\n", n, text)
		}
		fmt.Fprintf(&b, "variable \"s%d\" {\n  type      = string\n  sensitive = true\n%s}\n", n, from)
		variable := fmt.Sprintf("var.s%d", n)
		b.WriteString(at.postgres(fmt.Sprintf("as_%d", n), variable) + at.redis(fmt.Sprintf("as_%d", n), variable))
		for i, door := range doors {
			if !through(n, i) {
				continue
			}
			text := strings.NewReplacer("$V", variable, "$N", fmt.Sprint(n)).Replace(door)
			fmt.Fprintf(&b, "step \"t%d_%d\" {\n  depends_on = []\n  %s\n}\n", n, i, text)
		}
		fmt.Fprintf(&b, "check \"c%d\" {\n  probe \"http.get\" {\n    url   = \"${var.echo}/\"\n    query = { token = %[2]s }\n  }\n"+
			"  assert  = length(result.body) < 3\n  message = \"it said ${result.body} to ${%[2]s}\"\n}\n", n, variable)
		fmt.Fprintf(&b, "notify \"n%d\" {\n  on = [\"started\", \"failed\"]\n  action \"core.log\" {\n    message = \"${run.summary} ${%s}\"\n  }\n}\n", n, variable)
		fmt.Fprintf(&b, "output \"o%d\" {\n  value     = { nested = [%s] }\n  sensitive = %t\n}\n", n, variable, n%2 == 0)
	}
	files := map[string]string{"canary.hcl": b.String(), "canary.vars.hcl": values.String(), ".git/HEAD": ""}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return append(environ, "RUNBOOK_VAR_echo="+echo)
}
