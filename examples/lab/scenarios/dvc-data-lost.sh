# DVC's cache, its files and the remote minio are empty; only s3_backup has the data.
# shellcheck shell=bash

needs=dvc

break_it() {
	rm -rf "$dvc_repo/.dvc/cache"
	find "$dvc_repo/data" -type f ! -name '*.dvc' ! -name .gitignore -delete
	minio_mc rm --recursive --force lab/dvc-storage
}

is_broken() {
	seen dvc.cache 0 && seen dvc.minio 0 && seen dvc.s3_backup 15 && seen dvc.healthy no
}
