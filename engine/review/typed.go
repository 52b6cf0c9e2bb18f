package review

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/providers/schema"
)

func shellWhereTyped() *Rule {
	return &Rule{
		ID: "shell_where_typed", Severity: hcl.DiagWarning, Summary: "A program where a provider knows the system",
		Why: "`exec.run` knows nothing of what a program touches: effects and counts have to be declared, nothing is previewed, a limit cannot be kept, and text takes the place of a typed result. There is a provider for this system that does all of it.",
		Bad: []string{`runbook "ready" {}

check "cache" {
  probe "exec.run" {
    argv = ["redis-cli", "-h", "cache-1", "PING"]
  }
  assert = trimspace(result.stdout) == "PONG"
}
`},
		Good: []string{`runbook "ready" {}

provider "redis" {
  host = "cache-1"
}

check "cache" {
  probe "redis.ping" {}
}
`},
		look: func(r *reading, say say) {
			for _, op := range r.operations() {
				for _, command := range r.commands(op.Operation) {
					if better := typed(command, op.kind); better != "" {
						say(op.Range, "%s is started, and %s does this.", command[0], better)
						break
					}
				}
			}
		},
	}
}

// typedPrograms are programs that a bundled provider makes unnecessary: which
// probe or action does what which of its commands does. The empty command stands
// for all others.
func typedPrograms() map[string]map[string][2]string {
	only := func(probe, action string) map[string][2]string { return map[string][2]string{"": {probe, action}} }
	return map[string]map[string][2]string{
		"psql":       only("postgres.query", "postgres.execute"),
		"pg_dump":    only("postgres.archives", "postgres.dump"),
		"pg_restore": only("postgres.archives", "postgres.restore"),
		"pg_isready": only("postgres.ready", ""),
		"vacuumdb":   only("", "postgres.vacuum"),
		"reindexdb":  only("", "postgres.reindex"),
		"redis-cli": {
			"": {"redis.info", "redis.set"}, "ping": {"redis.ping", ""}, "get": {"redis.get", ""}, "ttl": {"redis.ttl", ""},
			"keys": {"redis.key_count", ""}, "scan": {"redis.key_count", ""}, "dbsize": {"redis.dbsize", ""}, "pubsub": {"redis.pubsub", ""},
			"set": {"", "redis.set"}, "del": {"", "redis.delete_pattern"}, "unlink": {"", "redis.delete_pattern"},
			"flushdb": {"", "redis.flushdb"}, "flushall": {"", "redis.flushdb"}, "bgsave": {"", "redis.bgsave"},
		},
		"feast": {
			"": {"feast.registry", "feast.apply"}, "plan": {"feast.plan", ""}, "materialize": {"", "feast.materialize"},
			"materialize-incremental": {"", "feast.materialize_incremental"},
		},
		"dvc": {
			"status": {"dvc.status", ""}, "remote": {"dvc.remotes", ""}, "push": {"", "dvc.push"}, "pull": {"", "dvc.pull"},
			"fetch": {"", "dvc.fetch"}, "checkout": {"", "dvc.checkout"}, "repro": {"", "dvc.repro"}, "gc": {"", "dvc.gc"},
		},
		"git": {
			"status": {"git.status", ""}, "log": {"git.log", ""}, "diff": {"git.diff", ""}, "clone": {"", "git.clone"}, "fetch": {"", "git.fetch"},
			"pull": {"", "git.pull"}, "checkout": {"", "git.checkout"}, "switch": {"", "git.checkout"}, "restore": {"", "git.checkout_paths"},
			"add": {"", "git.add"}, "commit": {"", "git.commit"}, "push": {"", "git.push"},
		},
		"mc": {
			"ls": {"minio.objects", ""}, "stat": {"minio.object", ""}, "ready": {"minio.health", ""}, "mb": {"", "minio.make_bucket"},
			"mirror": {"", "minio.mirror"}, "cp": {"", "minio.copy"}, "rm": {"", "minio.remove_older_than"}, "ilm": {"minio.lifecycle", "minio.lifecycle_rule"},
		},
		"mlflow": {"artifacts": {"mlflow.run_artifacts", "mlflow.upload_artifacts"}, "runs": {"mlflow.runs", ""}, "experiments": {"mlflow.experiments", ""}},
		"curl":   only("http.get", "http.request"),
		"wget":   only("http.get", "http.request"),
		"nc":     only("http.tcp", ""),
	}
}

// typed is the probe or action that does what a program is started for, or empty.
func typed(command []string, kind schema.Kind) string {
	commands, known := typedPrograms()[path.Base(command[0])]
	if !known {
		return ""
	}
	found := commands[""]
	for _, word := range command[1:] {
		if said, ok := commands[strings.ToLower(word)]; ok && word != "" {
			found = said
			break
		}
	}
	probe, action := found[0], found[1]
	if kind == schema.Action && action != "" || probe == "" {
		return action
	}
	return probe
}
