# A stage's command was changed, committed and pushed, and never run: dvc.lock is of the old one.
# shellcheck shell=bash

needs=dvc

break_it() {
	cd "$dvc_repo" || return
	sed -i 's|cmd: sort -u|cmd: sort -u -r|' dvc.yaml
	git commit --quiet --all -m 'Sort the bars the other way round'
	git push --quiet origin main
}

is_broken() {
	seen git.files_changed 0 && seen git.in_sync yes && seen dvc.files_changed 0 && seen dvc.stages_changed 1 && seen dvc.healthy no
}
