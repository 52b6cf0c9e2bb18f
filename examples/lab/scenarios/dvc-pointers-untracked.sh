# A new dataset was added to DVC, and nobody told Git: its pointer is not tracked, its data is in the cache alone.
# shellcheck shell=bash

needs=dvc

break_it() {
	cd "$dvc_repo" || return
	printf '%s,news,0\n' 2026-01 2026-02 2026-03 >data/news.csv
	DVC_NO_ANALYTICS=1 "$(dvc_venv)/bin/dvc" add --quiet data/news.csv
}

is_broken() {
	seen git.files_changed 2 && seen dvc.files_changed 0 && seen git.in_sync yes && seen dvc.healthy no
}
