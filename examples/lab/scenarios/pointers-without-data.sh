# Pointers were pushed to origin before their data: no remote has the objects, only the cache here.
# shellcheck shell=bash

needs=dvc

break_it() {
	cd "$dvc_repo" || return
	printf '%s,news,0\n' 2026-01 2026-02 2026-03 >data/news.csv
	DVC_NO_ANALYTICS=1 "$(dvc_venv)/bin/dvc" add --quiet data/news.csv
	git add data/news.csv.dvc data/.gitignore
	git commit --quiet -m 'Add the news'
	git push --quiet origin main
}

is_broken() {
	seen git.files_changed 0 && seen git.in_sync yes && seen dvc.unpushed 1 && seen dvc.healthy no
}
