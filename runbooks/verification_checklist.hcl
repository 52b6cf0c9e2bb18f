# The section "Verification Checklist" of the sync-recovery document, done right:
#
# - Its script prints 'pg_isready check passed' without asking PostgreSQL, calls
#   Redis a 'manual check', and ends with exit code 0 whatever the others answer.
#   Here each of the six lines is looked at, and any that fails fails the run.
# - A status code of /health says that a process is there. Here the inference API
#   has to answer with a prediction.
#
# `runbook check runbooks/verification_checklist.hcl` looks at the same checks
# without a run.

runbook "verification_checklist" {
  title       = "Verification checklist"
  description = "The six lines that must hold after a recovery. It changes nothing."
  owner       = "trading-platform"
  severity    = "low"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl"]
  on_failure  = "continue"
}

step "bars" {
  title      = "PostgreSQL has latest OHLCV data (< 10 min old)"
  depends_on = []
  verify "fresh" { check = check.bars }
}

step "features" {
  title      = "Feast features are materialized (check Redis)"
  depends_on = []
  verify "fresh" { check = check.features }
  verify "served" { check = check.inference }
}

step "datasets" {
  title      = "DVC status is clean"
  depends_on = []
  verify "work_tree" { check = check.pipeline }
  verify "minio" { check = check.dvc_remote }
}

step "models" {
  title      = "MLflow can list experiments and runs"
  depends_on = []
  verify "experiments" { check = check.experiments }
  verify "runs" { check = check.runs }
  verify "champion" { check = check.champion }
}

step "predictions" {
  title      = "Inference API returns valid predictions"
  depends_on = []
  verify "valid" {
    check  = check.predictions
    within = "30s"
  }
}

step "services" {
  title      = "All healthchecks pass"
  depends_on = []
  verify "healthy" {
    checks = [check.services]
    within = "30s"
  }
}
