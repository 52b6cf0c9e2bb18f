# The files of the work tree are those of an earlier version, while Git and dvc.lock are at the newest.
# shellcheck shell=bash

needs=dvc

break_it() {
	cd "$dvc_repo"
	git checkout --quiet good-2026-01 -- dvc.lock data/macro.dvc data/pipeline/01_raw/bars.csv.dvc
	DVC_NO_ANALYTICS=1 "$(dvc_venv)/bin/dvc" checkout --quiet
	git reset --quiet --hard
}

is_broken() {
	seen git.files_changed 0 && seen_at_least dvc.files_changed 3 && seen dvc.cache 15 && seen dvc.healthy no
}
