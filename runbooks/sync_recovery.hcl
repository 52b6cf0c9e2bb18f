# The section "Full System Sync Recovery" of the sync-recovery document, done right:
#
# - Its script goes on after each failure and prints SYNC RECOVERY COMPLETE. Here
#   what needs a failed step is not begun, all else is, and the run ends by what the
#   checklist sees.
# - It looks at the stores and goes on whatever they say. Here each part needs the
#   stores that it works on, and only those.
# - It does one thing after another. Here what is independent runs side by side.
# - `dvc checkout` comes before the pull, `feast apply` and an incremental
#   materialization are run whether they are needed or not, and MLflow is only asked
#   for its /health. The runbooks that are called tell what is done instead.

runbook "sync_recovery" {
  title       = "Full system sync recovery"
  description = "Use after a major infrastructure failure, after disaster recovery, or after data corruption."
  owner       = "trading-platform"
  severity    = "high"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl", "escalation.hcl"]
  on_failure  = "continue"
}

locals {
  severity = "high"
}

step "postgres" {
  title      = "PostgreSQL answers"
  depends_on = []
  precondition "answers" { check = check.postgres }
}

step "redis" {
  title      = "Redis answers"
  depends_on = []
  precondition "answers" { check = check.redis }
}

step "minio" {
  title      = "MinIO answers, and takes our keys"
  depends_on = []
  precondition "answers" { check = check.minio }
  precondition "datasets" { check = check.dvc_bucket }
  precondition "models" { check = check.mlflow_bucket }
}

step "mlflow" {
  title      = "MLflow answers"
  depends_on = []
  precondition "answers" { check = check.mlflow }
}

step "datasets" {
  title      = "Datasets: work tree, cache and MinIO"
  depends_on = [step.minio]
  call {
    runbook = "./dvc_to_minio.hcl"
  }
}

step "features" {
  title      = "Features: PostgreSQL and the online store"
  depends_on = [step.postgres, step.redis]
  call {
    runbook = "./postgres_to_feast.hcl"
  }
}

step "models" {
  title      = "Models: MLflow and MinIO"
  depends_on = [step.minio, step.mlflow]
  call {
    runbook = "./mlflow_to_minio.hcl"
  }
}

step "pointers" {
  title      = "Pointers: Git and DVC"
  depends_on = [step.datasets]
  call {
    runbook = "./git_dvc.hcl"
  }
}

step "checklist" {
  title = "Verify, whatever has failed"
  call {
    runbook = "./verification_checklist.hcl"
  }
}
