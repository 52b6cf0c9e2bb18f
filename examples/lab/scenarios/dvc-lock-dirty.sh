# The pipeline's input has changed and been added; dvc.lock is of before, and nothing is committed.
# shellcheck shell=bash

needs=dvc

break_it() {
	local bars=data/pipeline/01_raw/bars.csv
	cd "$dvc_repo"
	cp "$bars" "$bars.new" # DVC may have protected the file
	mv -f "$bars.new" "$bars"
	chmod u+w "$bars"
	echo '2026-04-01T08:00:00Z,USDCOP,4012.00' >>"$bars"
	DVC_NO_ANALYTICS=1 "$(dvc_venv)/bin/dvc" add --quiet "$bars"
}

is_broken() {
	seen git.files_changed 1 && seen dvc.files_changed 1 && seen dvc.healthy no
}
