# MinIO lost files of a DVC folder whose list survives: DVC calls it pushed.
# shellcheck shell=bash

needs=dvc

break_it() {
	local hash
	for hash in $(cd "$dvc_repo/data/macro" && md5sum dxy_*.csv | cut -d ' ' -f 1); do
		minio_mc rm "lab/dvc-storage/files/md5/${hash:0:2}/${hash:2}"
	done
}

is_broken() {
	seen dvc.files_changed 0 && seen dvc.cache 15 && seen dvc.minio 12 && seen dvc.s3_backup 15 && seen dvc.healthy no
}
