# The trading system's backends and what "good" means for each: shared by every
# runbook in this folder. A runbook needs, and is asked for, only what it reaches.

variable "postgres_host" {
  type        = string
  default     = "localhost"
  env         = "POSTGRES_HOST"
  description = "Host of the market-data PostgreSQL."
}

variable "postgres_port" {
  type    = number
  default = 5432
  env     = "POSTGRES_PORT"
}

variable "postgres_db" {
  type    = string
  default = "usdcop_trading"
  env     = "POSTGRES_DB"
}

variable "postgres_user" {
  type    = string
  default = "admin"
  env     = "POSTGRES_USER"
}

variable "postgres_password" {
  type      = string
  sensitive = true
  env       = "POSTGRES_PASSWORD"
}

variable "redis_host" {
  type    = string
  default = "localhost"
  env     = "REDIS_HOST"
}

variable "redis_port" {
  type    = number
  default = 6379
  env     = "REDIS_PORT"
}

variable "feature_repo" {
  type        = string
  default     = "/srv/usdcop/feature_repo"
  env         = "FEAST_REPO"
  description = "Folder of the Feast repository."
}

variable "feast_python" {
  type        = string
  default     = "python3"
  env         = "FEAST_PYTHON"
  description = "Interpreter of the environment that Feast is installed in."
}

variable "minio_endpoint" {
  type        = string
  default     = "http://localhost:9000"
  env         = "MINIO_ENDPOINT"
  description = "URL of the MinIO that holds datasets and model artifacts."
}

variable "minio_access_key" {
  type    = string
  default = "runbook"
  env     = "MINIO_ACCESS_KEY"
}

variable "minio_secret_key" {
  type      = string
  sensitive = true
  env       = "MINIO_SECRET_KEY"
}

variable "backup_access_key" {
  type        = string
  default     = null
  nullable    = true
  env         = "BACKUP_ACCESS_KEY"
  description = "Access key of the DVC remote s3_backup; without one MinIO's counts there too."
}

variable "backup_secret_key" {
  type      = string
  default   = null
  nullable  = true
  sensitive = true
  env       = "BACKUP_SECRET_KEY"
}

variable "dvc_repo" {
  type        = string
  default     = "/srv/usdcop"
  env         = "DVC_REPO"
  description = "Folder of the work tree that Git and DVC share."
}

variable "dvc_program" {
  type    = string
  default = "dvc"
  env     = "DVC_PROGRAM"
}

variable "dataset" {
  type        = string
  default     = "data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv"
  description = "What the models are trained on, from the work tree's folder."
}

variable "pointers" {
  type        = list(string)
  default     = ["dvc.lock", "dvc.yaml", "*.dvc", "*.gitignore"]
  description = "Git pathspecs of the files by which Git tracks what DVC keeps."
}

variable "mlflow_tracking_uri" {
  type    = string
  default = "http://localhost:5001"
  env     = "MLFLOW_TRACKING_URI"
}

variable "models_dir" {
  type        = string
  default     = "/srv/usdcop/models"
  env         = "MODELS_DIR"
  description = "What those who trained the models have kept: runs/RUN_ID and models/MODEL_ID, each with its files."
}

variable "model" {
  type        = string
  default     = "usdcop_ppo"
  description = "Name of the registered model that inference loads, by its alias champion."
}

variable "inference_url" {
  type        = string
  default     = "http://localhost:8090"
  env         = "INFERENCE_URL"
  description = "URL of the inference API."
}

variable "services" {
  type        = map(string)
  default     = {}
  description = "Health endpoints of further services, by name."
}

variable "max_bar_age" {
  type        = number
  default     = 600
  description = "Oldest acceptable OHLCV bar and feature, in seconds: two bars."
  validation {
    condition = var.max_bar_age > 0
    message   = "max_bar_age must be positive, got ${var.max_bar_age}."
  }
}

locals {
  # What the containers' own healthchecks ask, asked from outside.
  health = merge({
    minio     = "${var.minio_endpoint}/minio/health/live"
    mlflow    = "${var.mlflow_tracking_uri}/health"
    inference = "${var.inference_url}/health"
  }, var.services)
}

provider "postgres" {
  host     = var.postgres_host
  port     = var.postgres_port
  database = var.postgres_db
  user     = var.postgres_user
  password = var.postgres_password
}

provider "redis" {
  host = var.redis_host
  port = var.redis_port
}

provider "feast" {
  repo   = var.feature_repo
  python = var.feast_python
  env = {
    POSTGRES_PASSWORD = var.postgres_password # feature_store.yaml names it
  }
  online_store  = "redis://${var.redis_host}:${var.redis_port}/0"
  offline_store = "postgres://${var.postgres_host}:${var.postgres_port}/${var.postgres_db}"
}

provider "minio" {
  endpoint   = var.minio_endpoint
  access_key = var.minio_access_key
  secret_key = var.minio_secret_key
}

provider "dvc" {
  repo = var.dvc_repo
  dvc  = var.dvc_program
  credentials = {
    minio = {
      access_key_id     = var.minio_access_key
      secret_access_key = var.minio_secret_key
    }
    s3_backup = {
      access_key_id     = coalesce(var.backup_access_key, var.minio_access_key)
      secret_access_key = coalesce(var.backup_secret_key, var.minio_secret_key)
    }
  }
}

provider "git" {
  repo = var.dvc_repo
}

provider "mlflow" {
  tracking_uri  = var.mlflow_tracking_uri
  s3_endpoint   = var.minio_endpoint
  s3_access_key = var.minio_access_key
  s3_secret_key = var.minio_secret_key
}

check "postgres" {
  description = "PostgreSQL accepts connections"
  probe "postgres.ready" {}
}

check "redis" {
  description = "Redis answers"
  probe "redis.ping" {}
}

check "bars" {
  description = "PostgreSQL holds a recent OHLCV bar"
  probe "postgres.freshness" {
    table   = "usdcop_m5_ohlcv"
    column  = "time"
    where   = "symbol = $1"
    params  = ["USDCOP"]
    max_age = "${var.max_bar_age}s"
  }
}

check "registry" {
  description = "The feature registry knows technical_features"
  probe "feast.registry" {}
  assert  = contains(result.feature_views, "technical_features")
  message = "the registry does not list technical_features: ${result.summary}"
  timeout = "1m"
}

check "features" {
  description = "The online store holds features of a recent bar, and Feast serves them"
  probe "feast.freshness" {
    feature_view = "technical_features"
  }
  assert  = result.ok && result.age_seconds < var.max_bar_age
  message = "technical_features online: ${result.summary}"
  timeout = "1m"
}

check "features_online" {
  description = "The online store has lost no features, however old they are"
  probe "feast.freshness" {
    feature_view = "technical_features"
  }
  assert  = result.missing == 0
  timeout = "1m"
}

check "inference" {
  description = "What inference asks for is served"
  probe "feast.online_features" {
    features = ["technical_features:rsi_9"]
    entities = [{ symbol = "USDCOP" }]
  }
  timeout = "1m"
}

check "minio" {
  description = "MinIO answers, and has the drives to write to"
  probe "minio.health" {}
}

check "dvc_bucket" {
  description = "The bucket of the DVC remote is there, and takes our keys"
  probe "minio.bucket" {
    bucket = "dvc-storage"
  }
}

check "dvc_idle" {
  description = "No other DVC command is at work in the work tree"
  probe "dvc.lock_held" {}
}

check "workspace" {
  description = "The files of the work tree are as dvc.lock and the .dvc files record them"
  probe "dvc.status" {}
  assert  = alltrue([for s in result.stages : length(s.outputs) == 0])
  message = "the work tree: ${result.summary}"
  timeout = "1m"
}

check "dvc_remote" {
  description = "MinIO has every object of the present version, whole"
  probe "dvc.remote_status" {
    remote = "minio"
  }
  timeout = "1m"
}

check "pipeline" {
  description = "The pipeline's outputs are of its present inputs and commands, as dvc.lock records"
  probe "dvc.status" {}
  timeout = "1m"
}

check "pointers" {
  description = "Git has every pointer to data committed as it is"
  probe "git.status" {
    paths = var.pointers
  }
}

check "git_at_rest" {
  description = "No merge, rebase or the like is half done, and nothing is in conflict"
  probe "git.status" {
    untracked = false
  }
  assert  = result.operation == "" && length(result.conflicts) == 0
  message = "the work tree: ${result.summary}"
}

check "git_in_sync" {
  description = "The branch is on origin as it is here"
  probe "git.in_sync" {}
  timeout = "30s"
}

check "mlflow" {
  description = "MLflow answers a real call of its API"
  probe "mlflow.health" {}
}

check "mlflow_bucket" {
  description = "The bucket of MLflow's artifacts is there, and takes our keys"
  probe "minio.bucket" {
    bucket = "mlflow"
  }
}

check "champion" {
  description = "The model that inference loads can be loaded"
  probe "mlflow.model_version" {
    name  = var.model
    alias = "champion"
  }
}

check "experiments" {
  description = "MLflow lists experiments"
  probe "mlflow.experiments" {}
}

check "runs" {
  description = "MLflow lists runs of the default experiment"
  probe "mlflow.runs" {
    experiment_ids = ["0"]
    max_results    = 10
  }
}

check "predictions" {
  description = "The inference API answers with a valid prediction"
  probe "http.get" {
    url   = "${var.inference_url}/predict"
    query = { symbol = "USDCOP" }
  }
  assert  = result.ok && result.json.symbol == "USDCOP" && result.json.position >= -1 && result.json.position <= 1
  message = "the prediction for USDCOP: ${result.summary} ${try(result.json.error, "")}"
  timeout = "30s"
}

check "services" {
  description = "Every service's health endpoint says that it is well"
  for_each    = local.health
  probe "http.get" {
    url = each.value
  }
  message = "${each.key}: ${result.summary}"
}
