# An object in the remote minio was cut short: DVC, which looks at names alone, calls it pushed.
# shellcheck shell=bash

needs=dvc

break_it() {
	local hash file
	hash=$(cd "$dvc_repo" && md5sum data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv | cut -d ' ' -f 1)
	file=$dvc_repo/.dvc/cache/files/md5/${hash:0:2}/${hash:2}
	head -c 100 "$file" | minio_mc pipe "lab/dvc-storage/files/md5/${hash:0:2}/${hash:2}"
}

is_broken() {
	seen dvc.minio 14 && seen dvc.s3_backup 15 && seen dvc.cache 15 && seen dvc.files_changed 0 && seen dvc.healthy no &&
		[ "$(minio_mc find lab/dvc-storage | wc -l)" = "$(minio_mc find lab/s3-backup | wc -l)" ]
}
