# The bucket has lost the artifacts of runs and models; MLflow still lists both.
# shellcheck shell=bash

needs=mlflow

break_it() {
	minio_mc rm --recursive --force "lab/$mlflow_bucket/0"
}

is_broken() {
	seen mlflow accepting && seen mlflow.artifacts 16 && seen mlflow.healthy no
}
