# The section "MLflow → MinIO Sync Recovery" of the sync-recovery document, done
# right:
#
# - `curl /health` says OK while the database is gone. Here a real call is made.
# - `search_runs(...).head()` shows five runs, `mc ls` one folder, and neither says
#   what is missing. Here every run that ended well is looked into, and every model
#   that it logged, file by file, against what those who trained it have kept.
# - `reupload_mlflow_artifacts.py --run-id <run_id>` is called by a person, for the
#   run that somebody complained about. Here each run and model that lacks a file
#   gets just what it lacks; nothing is written over, and each file is read back.
# - `list_artifacts` answers with an empty list where all is lost. Here the model
#   that inference loads must be loadable at the end.

runbook "mlflow_to_minio" {
  title       = "MLflow → MinIO sync recovery"
  description = "Use when model artifacts are missing, when MLflow says \"Artifact not found\", or when a model cannot be loaded."
  owner       = "trading-platform"
  severity    = "medium"
  labels      = { contract = "SYNC-19" }
  include     = ["stack.hcl", "escalation.hcl"]
  timeout     = "2h"
}

variable "runs_filter" {
  type        = string
  default     = "attributes.status = 'FINISHED'"
  description = "MLflow's search expression for the runs that must have artifacts."
}

locals {
  severity = "medium"

  # The logged models of all runs: the run and the name that each has.
  models = merge([
    for run, s in step.logged : {
      for m in s.result.models : m.model_id => { run_id = run, name = m.name }
    }
  ]...)
}

step "ready" {
  title = "MLflow and MinIO answer, and the bucket takes our keys"
  precondition "mlflow" { check = check.mlflow }
  precondition "minio" { check = check.minio }
  precondition "bucket" { check = check.mlflow_bucket }
}

step "experiments" {
  title = "Find the experiments"
  probe "mlflow.experiments" {}
}

step "runs" {
  title = "Find the runs that ended well"
  probe "mlflow.runs" {
    experiment_ids = step.experiments.result.experiments[*].experiment_id
    filter         = var.runs_filter
    max_results    = 1000
  }
}

step "logged" {
  title    = "Find the models that each run has logged"
  for_each = toset(step.runs.result.runs[*].run_id)
  probe "mlflow.run_artifacts" {
    run_id = each.key
  }
}

step "kept_runs" {
  title    = "Find what has been kept of each run"
  for_each = toset(step.runs.result.runs[*].run_id)
  probe "file.directory" {
    path      = "${var.models_dir}/runs/${each.key}"
    recursive = true
  }
}

step "kept_models" {
  title    = "Find what has been kept of each model"
  for_each = local.models
  probe "file.directory" {
    path      = "${var.models_dir}/models/${each.key}"
    recursive = true
  }
}

step "artifacts" {
  title    = "Put back what a run lacks"
  for_each = toset(step.runs.result.runs[*].run_id)
  precondition "copy" {
    probe "file.directory" {
      path      = "${var.models_dir}/runs/${each.key}"
      recursive = true
    }
    message = "run ${each.key} lacks artifacts, and ${result.summary}"
  }
  action "mlflow.upload_artifacts" {
    run_id    = each.key
    directory = "${var.models_dir}/runs/${each.key}"
  }
  goal "complete" {
    probe "mlflow.run_artifacts" {
      run_id   = each.key
      required = coalesce(step.kept_runs[each.key].result.paths, [])
    }
    assert  = length(result.files) > 0 && length(setintersection(toset(result.missing), toset(coalesce(step.kept_runs[each.key].result.paths, [])))) == 0
    message = result.summary
    timeout = "30s"
  }
  limit   = { files = 10000 }
  timeout = "30m"
}

step "models" {
  title    = "Put back what a logged model lacks"
  for_each = local.models
  precondition "copy" {
    probe "file.directory" {
      path      = "${var.models_dir}/models/${each.key}"
      recursive = true
    }
    message = "model ${each.key} lacks files, and ${result.summary}"
  }
  action "mlflow.log_model_files" {
    model_id  = each.key
    directory = "${var.models_dir}/models/${each.key}"
  }
  goal "complete" {
    probe "mlflow.run_artifacts" {
      run_id   = each.value.run_id
      required = [for path in coalesce(step.kept_models[each.key].result.paths, []) : "${each.value.name}/${path}"]
    }
    assert = (alltrue([for m in result.models : m.usable if m.model_id == each.key])
    && length([for path in result.missing : path if startswith(path, "${each.value.name}/")]) == 0)
    message = "model ${each.key}: ${result.summary}"
    timeout = "30s"
  }
  limit   = { files = 10000 }
  timeout = "30m"
}

step "champion" {
  title = "The model that inference loads can be loaded"
  verify "loadable" { check = check.champion }
}

output "runs" {
  description = "How many runs were looked into."
  value       = length(step.runs.result.runs)
}
