package canary

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
)

// servers are real backends, which answer in their own words.
type servers struct {
	Postgres struct {
		Host, User, Password string
		Port                 int
	}
	Redis struct {
		Host, Password string
		Port           int
	}
}

// startServers starts them; they end with the test.
func startServers(t *testing.T, program string) servers {
	t.Helper()
	cmd := exec.Command(program)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	var at servers
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &at)
	}
	if err != nil {
		t.Fatalf("the servers did not start: %v\n%s", err, line)
	}
	return at
}

func (s servers) postgres(alias, password string) string {
	return fmt.Sprintf(`provider "postgres" {
  alias    = "%s"
  host     = "%s"
  port     = %d
  database = "postgres"
  user     = "%s"
  password = %s
}
`, alias, s.Postgres.Host, s.Postgres.Port, s.Postgres.User, password)
}

func (s servers) redis(alias, password string) string {
	return fmt.Sprintf(`provider "redis" {
  alias    = "%s"
  host     = "%s"
  port     = %d
  password = %s
}
`, alias, s.Redis.Host, s.Redis.Port, password)
}
