# Somebody has written into the dataset: its hash is not the recorded one, and nobody else has what it holds now.
# shellcheck shell=bash

needs=dvc

break_it() {
	local dataset=$dvc_repo/data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv
	cp "$dataset" "$dataset.new" # DVC may have protected the file, or linked it to its cache
	mv -f "$dataset.new" "$dataset"
	chmod u+w "$dataset"
	echo '2026-03-29T08:00:00Z,USDCOP,9999.00' >>"$dataset"
}

is_broken() {
	seen dvc.files_changed 1 && seen git.files_changed 0 && seen dvc.cache 15 && seen dvc.minio 15 && seen dvc.healthy no
}
