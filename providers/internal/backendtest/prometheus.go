package backendtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/crypto/bcrypt"
)

// Prometheus is a running server that wants a password.
type Prometheus struct {
	URL      string // on a loopback address
	Username string
	Password string

	dir     string
	process *server
}

// WithPrometheus starts a server and stores it in *to. It scrapes what scrape says:
// a port on this machine by job; and evaluates rules, the text of a rule file.
func WithPrometheus(to **Prometheus, scrape func() (map[string]string, error), rules string) Backend {
	return func() (func(), error) {
		targets, err := scrape()
		if err != nil {
			return nil, err
		}
		p, err := StartPrometheus(targets, rules)
		if err != nil {
			return nil, err
		}
		*to = p
		return p.Stop, nil
	}
}

// StartPrometheus starts a server that the caller stops; should it not, the server
// ends with the process. targets are addresses by job.
func StartPrometheus(targets map[string]string, rules string) (*Prometheus, error) {
	path, err := binary("prometheus", "apt-get install -y prometheus")
	if err != nil {
		return nil, err
	}
	dir, err := folder(nil)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p := &Prometheus{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Username: "ana", Password: "prometheus-secret", dir: dir}
	if err := p.configure(targets, rules); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	command := exec.Command(path, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--web.config.file="+filepath.Join(dir, "web.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	command.Dir = dir
	if p.process, err = serve(command, nil, syscall.SIGKILL, "Server is ready to receive web requests"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *Prometheus) configure(targets map[string]string, rules string) error {
	hash, err := bcrypt.GenerateFromPassword([]byte(p.Password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hash the test's password: %w", err)
	}
	// A scrape that comes too late counts for one that failed: a busy machine needs time.
	config := "global:\n  scrape_interval: 4s\n  scrape_timeout: 4s\n  evaluation_interval: 1s\nrule_files: [rules.yml]\nscrape_configs:\n"
	for job, address := range targets {
		config += fmt.Sprintf("  - job_name: %s\n    static_configs:\n      - targets: [%q]\n", job, address)
	}
	for name, text := range map[string]string{
		"prometheus.yml": config, "rules.yml": rules, "web.yml": fmt.Sprintf("basic_auth_users:\n  %s: %s\n", p.Username, hash),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("configure the test's Prometheus: %w", err)
		}
	}
	return nil
}

// Stop ends the server and removes its folder.
func (p *Prometheus) Stop() {
	p.process.stop(syscall.SIGKILL)
	os.RemoveAll(p.dir)
}
