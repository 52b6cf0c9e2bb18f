// Package bundled is the explicit list of the providers that are part of the
// runbook binary.
package bundled

import (
	"github.com/runbook-engine/runbook/providers/airflow"
	"github.com/runbook-engine/runbook/providers/core"
	"github.com/runbook-engine/runbook/providers/docker"
	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/email"
	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/file"
	"github.com/runbook-engine/runbook/providers/git"
	"github.com/runbook-engine/runbook/providers/http"
	"github.com/runbook-engine/runbook/providers/minio"
	"github.com/runbook-engine/runbook/providers/mlflow"
	"github.com/runbook-engine/runbook/providers/pagerduty"
	"github.com/runbook-engine/runbook/providers/postgres"
	"github.com/runbook-engine/runbook/providers/prometheus"
	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/slack"
	"github.com/runbook-engine/runbook/providers/webhook"
)

// Providers are the bundled providers' constructors by name. The map is the
// caller's own.
func Providers() map[string]func() *sdk.Provider {
	return map[string]func() *sdk.Provider{
		"airflow":    airflow.Provider,
		"core":       core.Provider,
		"docker":     docker.Provider,
		"dvc":        dvc.Provider,
		"email":      email.Provider,
		"exec":       exec.Provider,
		"feast":      feast.Provider,
		"file":       file.Provider,
		"git":        git.Provider,
		"http":       http.Provider,
		"minio":      minio.Provider,
		"mlflow":     mlflow.Provider,
		"pagerduty":  pagerduty.Provider,
		"postgres":   postgres.Provider,
		"prometheus": prometheus.Provider,
		"redis":      redis.Provider,
		"slack":      slack.Provider,
		"webhook":    webhook.Provider,
	}
}
