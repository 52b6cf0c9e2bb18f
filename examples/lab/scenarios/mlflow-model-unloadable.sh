# The champion's MLmodel and pickle are gone: MLflow calls the version READY, and nobody can load it.
# shellcheck shell=bash

needs=mlflow

break_it() {
	local model
	model=$(curl -sf "$mlflow_uri/api/2.0/mlflow/registered-models/alias?name=usdcop_ppo&alias=champion" |
		sed -n 's/.*"source": "models:\/\([^"]*\)".*/\1/p')
	minio_mc rm "lab/$mlflow_bucket/0/models/$model/artifacts/MLmodel" "lab/$mlflow_bucket/0/models/$model/artifacts/python_model.pkl"
}

is_broken() {
	seen mlflow accepting && seen mlflow.artifacts 38 && seen mlflow.healthy no
}
