# One file of one run is gone: whoever asks for it is told that there is no such artifact.
# shellcheck shell=bash

needs=mlflow

break_it() {
	local file
	file=$(minio_mc find "lab/$mlflow_bucket/0" --name equity.csv | sort | head -n 1)
	minio_mc rm "$file"
}

is_broken() {
	seen mlflow accepting && seen mlflow.artifacts 39 && seen mlflow.healthy no
}
