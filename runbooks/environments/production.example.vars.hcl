# Copy it to production.vars.hcl, and use it by `--environment production`.
#
# No secret belongs here. They come from the environment, or from files that the
# service manager hands out: POSTGRES_PASSWORD, MINIO_SECRET_KEY, BACKUP_SECRET_KEY.

postgres_host = "localhost"
postgres_port = 5432
postgres_db   = "usdcop_trading"
postgres_user = "runbook" # one that may only read is enough

redis_host = "localhost"
redis_port = 6379

feature_repo = "/srv/usdcop/feature_repo"
feast_python = "/srv/usdcop/.venv/bin/python"

minio_endpoint    = "http://localhost:9000"
minio_access_key  = "runbook"
backup_access_key = "runbook-backup" # of the remote s3_backup, which is another server

dvc_repo    = "/srv/usdcop"
dvc_program = "/srv/usdcop/.venv/bin/dvc"
dataset     = "data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv"

mlflow_tracking_uri = "http://localhost:5001"
models_dir          = "/srv/usdcop/models"
model               = "usdcop_ppo"

inference_url = "http://localhost:8090"

# Everything that has a health endpoint; MinIO, MLflow and inference are looked at
# anyway.
services = {
  dashboard     = "http://localhost:5000/api/health"
  trading-api   = "http://localhost:8000/api/health"
  analytics-api = "http://localhost:8001/api/health"
}

# Two bars.
max_bar_age = 600
