# The lab of examples/lab as `lab up` makes it: `--environment lab`. Another port
# base, or another folder, is told by the variables that `lab env` prints instead.
# What is secret, and where the programs of the lab's virtual environments are,
# comes from there anyway: eval "$(examples/lab/lab env)"

postgres_host = "127.0.0.1"
postgres_port = 15432
postgres_db   = "usdcop_trading"
postgres_user = "admin"

redis_host = "127.0.0.1"
redis_port = 16379

feature_repo = "../examples/lab/.state/feature_repo"

minio_endpoint   = "http://127.0.0.1:19000"
minio_access_key = "lab-admin"

dvc_repo   = "../examples/lab/.state/trading"
models_dir = "../examples/lab/.state/models"

mlflow_tracking_uri = "http://127.0.0.1:15001"
inference_url       = "http://127.0.0.1:18090"
